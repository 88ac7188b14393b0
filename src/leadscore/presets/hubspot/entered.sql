-- The stages that deals entered, in their order. Only the history of the property `dealstage` tells
-- them: the columns hs_date_entered_* also give skipped stages a date, that of the closing move.
WITH matched AS (
    SELECT h.deal_id, h.happened_at, h.stage_id, h._file, h._line, TRY_CAST(h.happened_at AS TIMESTAMP) AS moment,
        COALESCE(s.name, h.stage_id) AS stage, COALESCE(s.state, 'open') AS state,
        COALESCE(s.rank, 0) AS rank
    FROM stage_history AS h
    JOIN deal_rows AS d ON d.lead_id = h.deal_id
    LEFT JOIN stage_labels AS s ON s.stage_id = h.stage_id
    QUALIFY row_number() OVER (
        PARTITION BY h._file, h._line, h.stage_id, h.happened_at
        ORDER BY COALESCE(s.pipeline_id = d.in_pipeline, false) DESC, s.pipeline_id
    ) = 1
)
SELECT *, row_number() OVER (
    PARTITION BY deal_id
    ORDER BY moment, state <> 'open', rank, stage_id, _file, _line
) AS place
FROM matched
