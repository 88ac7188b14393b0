-- The list of deals is all that tells which stages are closed: those of closed deals.
SELECT in_pipeline AS pipeline_id, CAST(NULL AS VARCHAR) AS pipeline, in_stage AS stage_id,
    in_stage AS label, 0 AS display_order,
    CASE WHEN bool_or(lower(is_won) IN ('true', 't', 'yes', '1')) THEN '1' ELSE '0' END AS probability,
    CASE WHEN bool_or(lower(is_closed) IN ('true', 't', 'yes', '1')) THEN 'true' ELSE 'false' END
        AS closed
FROM deal_rows
WHERE in_stage IS NOT NULL
GROUP BY in_pipeline, in_stage
