-- The stages that deals entered, in their order. Zoho writes a row when the stage or what hangs on it
-- changes, so a stage may be repeated.
WITH today AS (
    SELECT "Stage" AS stage, MIN(state) AS state FROM deal_rows
    WHERE state IN ('open', 'won', 'lost')
    GROUP BY "Stage"
),
ordered AS (
    SELECT d.lead_id, h.happened_at, m.moment, h.stage, h._file, h._line,
        COALESCE(
            s.state,
            t.state,
            CASE WHEN TRY_CAST(h.chance AS DOUBLE) >= 100 THEN 'won'
                WHEN TRY_CAST(h.chance AS DOUBLE) = 0 THEN 'lost' END,
            'open'
        ) AS state,
        row_number() OVER (PARTITION BY d.lead_id ORDER BY m.moment, h._file, h._line) AS place
    FROM stage_history AS h
    JOIN deal_rows AS d ON d.lead_id = h.deal
    LEFT JOIN stage_states AS s ON s.stage = h.stage
    LEFT JOIN today AS t ON t.stage = h.stage
    LEFT JOIN moments AS m ON m.text = h.happened_at
    WHERE h.stage IS NOT NULL
)
SELECT * FROM ordered
QUALIFY stage IS DISTINCT FROM LAG(stage) OVER (PARTITION BY lead_id ORDER BY place)
