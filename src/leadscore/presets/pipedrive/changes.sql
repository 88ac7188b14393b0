-- What fields of a deal became, and when.
WITH known AS (
    SELECT lead_id, happened_at, field, value, 0 AS place, _file, _line FROM starts
    UNION ALL
    SELECT lead_id, happened_at, field, new_value, place, _file, _line FROM flow_rows
)
SELECT lead_id, happened_at, place, _file, _line, value,
    CASE field WHEN 'value' THEN 'amount' WHEN 'expected_close_date' THEN 'close_date'
        WHEN 'org_id' THEN 'account' WHEN 'person_id' THEN 'contact' ELSE 'owner_id' END AS field
FROM known
WHERE field IN (
    'value', 'user_id', 'owner_id', 'expected_close_date', 'org_id', 'person_id'
)
    AND (place > 0 OR value IS NOT NULL)
