-- Entries into stages; deals that `deal_stage` lacks have them in the history of all properties.
SELECT deal_id, date_entered AS happened_at, value AS stage_id, _file, _line
FROM deal_stage
UNION ALL
SELECT deal_id, timestamp, value, _file, _line
FROM deal_property_history
WHERE name = 'dealstage'
    AND deal_id NOT IN (SELECT deal_id FROM deal_stage WHERE deal_id IS NOT NULL)
