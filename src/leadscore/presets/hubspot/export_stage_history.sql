-- Columns like: Date entered "Contract Sent (Sales Pipeline)". Where several stages have the same
-- time, the deal skipped all but one of them: the stage it is in.
WITH wide AS (
    SELECT *, CAST(NULL AS VARCHAR) AS "Date entered none" FROM deal_list
),
long AS (
    SELECT "Record ID" AS deal_id, "Pipeline" AS in_pipeline, "Deal Stage" AS in_stage, happened_at, _file, _line,
        regexp_extract(heading, '(?i)^date entered "?(.*?)( \([^()]*\))?"?$', 1) AS stage_id
    FROM (
        UNPIVOT wide ON COLUMNS('(?i)^date entered ') INTO NAME heading VALUE happened_at
    )
)
SELECT l.deal_id, l.happened_at, l.stage_id, l._file, l._line
FROM long AS l
LEFT JOIN stage_rows AS s
    ON s.stage_id = l.stage_id AND s.pipeline_id IS NOT DISTINCT FROM l.in_pipeline
QUALIFY row_number() OVER (
    PARTITION BY l._file, l._line, l.happened_at
    ORDER BY l.stage_id = l.in_stage DESC, s.closed DESC NULLS LAST, l.stage_id
) = 1
