-- The stages that opportunities entered, in their order: from OpportunityHistory, or, where it lacks
-- an opportunity, from the field history of the stage.
WITH stage_rows AS (
    SELECT lead_id, happened_at, stage, state, place, _file, _line FROM history_rows
    UNION ALL
    SELECT v.lead_id, v.happened_at, v.value, f.state,
        row_number() OVER (
            PARTITION BY v.lead_id ORDER BY TRY_CAST(v.happened_at AS TIMESTAMP), v._file, v._line
        ),
        v._file, v._line
    FROM field_values AS v
    LEFT JOIN stage_flags AS f ON f.stage = v.value
    WHERE v.tracked = 'StageName'
        AND NOT EXISTS (SELECT 1 FROM history_rows AS h WHERE h.lead_id = v.lead_id)
)
SELECT lead_id, happened_at, stage, COALESCE(state, 'open') AS state, place, _file, _line,
    TRY_CAST(happened_at AS TIMESTAMP) AS moment
FROM stage_rows
WHERE stage IS NOT NULL
QUALIFY stage IS DISTINCT FROM LAG(stage) OVER (PARTITION BY lead_id ORDER BY place)
