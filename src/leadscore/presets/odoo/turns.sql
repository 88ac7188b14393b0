-- Moves between stages, losses and restorations, in order, each with the stage and state after it.
WITH events AS (
    SELECT lead_id, happened_at, TRY_CAST(happened_at AS TIMESTAMP) AS moment, 0 AS rank, 0 AS place,
        MAX(CASE field WHEN 'stage_id' THEN value END) AS stage_id,
        MAX(CASE field WHEN 'stage_id' THEN label END) AS label,
        MAX(CASE field WHEN 'active' THEN value END) AS active, _file, _line
    FROM starts
    GROUP BY lead_id, happened_at, _file, _line
    UNION ALL
    SELECT lead_id, happened_at, moment, 1, place,
        CASE field WHEN 'stage_id' THEN new_value END,
        CASE field WHEN 'stage_id' THEN new_label END,
        CASE field WHEN 'active' THEN new_value END, _file, _line
    FROM tracked
    WHERE field IN ('stage_id', 'active')
),
filled AS (
    SELECT lead_id, happened_at, moment, _file, _line,
        LAST_VALUE(stage_id IGNORE NULLS) OVER by_lead AS stage_id,
        LAST_VALUE(label IGNORE NULLS) OVER by_lead AS label,
        LAST_VALUE(active IGNORE NULLS) OVER by_lead AS active,
        row_number() OVER by_lead AS place
    FROM events
    WINDOW by_lead AS (
        PARTITION BY lead_id ORDER BY moment, rank, active IS NOT NULL, place, _file, _line
    )
),
-- what was saved at once is one turn: a lead that was lost may be restored and won in one go
whole AS (
    SELECT * FROM filled
    QUALIFY row_number() OVER (PARTITION BY lead_id, moment ORDER BY place DESC) = 1
),
judged AS (
    SELECT w.*, COALESCE(s.name, w.label, w.stage_id) AS stage,
        CASE WHEN w.active = '0' AND s.is_won AND l.state = 'won' THEN 'won'  -- archived when won
            WHEN w.active = '0' THEN 'lost'
            WHEN s.is_won THEN 'won'
            ELSE 'open' END AS status
    FROM whole AS w
    JOIN lead_rows AS l ON l.lead_id = w.lead_id
    LEFT JOIN stages_by_id AS s ON s.stage_id = w.stage_id
)
SELECT *, LAG(status) OVER (PARTITION BY lead_id ORDER BY place) AS status_before FROM judged
