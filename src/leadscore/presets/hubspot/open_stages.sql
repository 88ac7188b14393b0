-- Entries into open stages; closed ones are in the view `closes`.
SELECT deal_id, happened_at, stage, _file, _line FROM entered WHERE state = 'open'
