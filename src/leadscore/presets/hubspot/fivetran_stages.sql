-- `closed_won` is the old name of `is_closed`: it meant closed, not won. Stages that were deleted
-- still name old entries.
SELECT s.pipeline_id, s.stage_id, s.label, s.probability, s.display_order, p.label AS pipeline,
    COALESCE(s.is_closed, s.closed_won) AS closed
FROM deal_pipeline_stage AS s
LEFT JOIN deal_pipeline AS p ON p.pipeline_id = s.pipeline_id
QUALIFY row_number() OVER (
    PARTITION BY s.pipeline_id, s.stage_id
    ORDER BY lower(s._fivetran_deleted) NULLS FIRST, s._file, s._line, p._file, p._line
) = 1
