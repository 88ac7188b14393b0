-- What fields became, and when. Every history row repeats all values, so only those that differ from
-- the row before are changes.
WITH long AS (
    SELECT lead_id, happened_at, 'amount' AS field, amount AS value, place, _file, _line
    FROM history_rows
    UNION ALL
    SELECT lead_id, happened_at, 'close_date', close_date, place, _file, _line FROM history_rows
    UNION ALL
    SELECT lead_id, happened_at, 'forecast_category', forecast_category, place, _file, _line
    FROM history_rows
    UNION ALL
    SELECT lead_id, happened_at, 'owner_id', owner_id, place, _file, _line FROM history_rows
    UNION ALL
    SELECT lead_id, happened_at, 'type', type, place, _file, _line FROM history_rows
    UNION ALL
    SELECT lead_id, happened_at, 'source', source, place, _file, _line FROM history_rows
    UNION ALL
    SELECT lead_id, happened_at, 'account', account, place, _file, _line FROM history_rows
),
changed AS (
    SELECT * FROM long
    QUALIFY value IS DISTINCT FROM LAG(value) OVER (PARTITION BY lead_id, field ORDER BY place)
),
tracked AS (
    SELECT lead_id, happened_at,
        CASE tracked WHEN 'OwnerId' THEN 'owner_id' WHEN 'LeadSource' THEN 'source'
            WHEN 'Type' THEN 'type' WHEN 'AccountId' THEN 'account' WHEN 'Amount' THEN 'amount'
            WHEN 'CloseDate' THEN 'close_date' END AS field,
        CASE tracked WHEN 'CloseDate' THEN left(value, 10) WHEN 'AccountId' THEN left(value, 15)
            ELSE value END AS value,
        1 AS place, _file, _line
    FROM field_values AS v
    WHERE tracked IN ('OwnerId', 'LeadSource', 'Type', 'AccountId')
        AND NOT EXISTS (
            SELECT 1 FROM history_rows AS h
            WHERE h.lead_id = v.lead_id AND h.owner_id IS NOT NULL
        )
        OR tracked IN ('Amount', 'CloseDate')
        AND NOT EXISTS (SELECT 1 FROM history_rows AS h WHERE h.lead_id = v.lead_id)
)
SELECT * FROM changed
UNION ALL
SELECT * FROM tracked
