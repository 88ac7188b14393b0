-- Entries into open stages; closed ones are in the view `closes`.
SELECT lead_id, happened_at, stage, place, _file, _line FROM entered WHERE state = 'open'
