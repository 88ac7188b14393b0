-- Moves between stages and changes of state, in order, each with the stage and state after it.
WITH events AS (
    SELECT lead_id, created AS happened_at, TRY_CAST(created AS TIMESTAMP) AS moment, 0 AS rank,
        0 AS place, CAST(NULL AS VARCHAR) AS stage, 'open' AS status, _file, _line
    FROM opportunity_rows AS o
    WHERE EXISTS (SELECT 1 FROM field_values AS v WHERE v.lead_id = o.lead_id)
    UNION ALL
    SELECT lead_id, happened_at, moment, 1, place, CASE field WHEN 'stage' THEN value END,
        CASE field WHEN 'state' THEN value END, _file, _line
    FROM field_values
    WHERE field = 'stage' OR field = 'state' AND place > 0
),
filled AS (
    SELECT lead_id, happened_at, moment, _file, _line,
        LAST_VALUE(stage IGNORE NULLS) OVER by_lead AS stage,
        LAST_VALUE(status IGNORE NULLS) OVER by_lead AS status,
        row_number() OVER by_lead AS place
    FROM events
    WINDOW by_lead AS (
        PARTITION BY lead_id ORDER BY moment, rank, status IS NOT NULL, place, _file, _line
    )
),
-- what was saved at once is one turn
whole AS (
    SELECT * FROM filled
    QUALIFY row_number() OVER (PARTITION BY lead_id, moment ORDER BY place DESC) = 1
)
SELECT *, LAG(status) OVER (PARTITION BY lead_id ORDER BY place) AS status_before FROM whole
