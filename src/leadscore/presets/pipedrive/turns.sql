-- Moves between stages and changes of status, in order, each with the stage and status after it: a
-- deal keeps its stage when it is won, lost or opened again.
WITH events AS (
    SELECT lead_id, happened_at, TRY_CAST(happened_at AS TIMESTAMP) AS moment, 0 AS rank, 0 AS place,
        MAX(CASE field WHEN 'stage_id' THEN value END) AS stage_id,
        MAX(CASE field WHEN 'status' THEN value END) AS status, _file, _line
    FROM starts
    GROUP BY lead_id, happened_at, _file, _line
    UNION ALL
    SELECT lead_id, happened_at, moment, 1, place,
        CASE field WHEN 'stage_id' THEN new_value END,
        CASE field WHEN 'status' THEN new_value END, _file, _line
    FROM flow_rows
    WHERE field IN ('stage_id', 'status')
),
filled AS (
    SELECT lead_id, happened_at, moment, _file, _line,
        LAST_VALUE(stage_id IGNORE NULLS) OVER by_deal AS stage_id,
        LAST_VALUE(status IGNORE NULLS) OVER by_deal AS status,
        row_number() OVER by_deal AS place
    FROM events
    WINDOW by_deal AS (
        PARTITION BY lead_id ORDER BY moment, rank, status IS NOT NULL, place, _file, _line
    )
)
SELECT f.*, COALESCE(s.name, f.stage_id) AS stage,
    LAG(f.status) OVER (PARTITION BY f.lead_id ORDER BY f.place) AS status_before
FROM filled AS f
LEFT JOIN stage_names AS s ON s.stage_id = f.stage_id
