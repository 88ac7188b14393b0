-- Stages stand in a list within their pipeline; the names of their keys changed with the API.
WITH listed AS (
    SELECT COALESCE(p.pipelineId, p.id) AS pipeline_id, p.label AS pipeline, s.value AS stage,
        p._file, p._line
    FROM deal_pipelines AS p,
        json_each(CASE WHEN json_valid(p.stages) THEN p.stages ELSE '[]' END) AS s
)
SELECT pipeline_id, pipeline, stage->>'$.label' AS label,
    COALESCE(stage->>'$.stageId', stage->>'$.id') AS stage_id,
    COALESCE(stage->>'$.metadata.probability', stage->>'$.probability') AS probability,
    COALESCE(stage->>'$.metadata.isClosed', stage->>'$.isClosed') AS closed,
    stage->>'$.displayOrder' AS display_order
FROM listed
QUALIFY row_number() OVER (PARTITION BY pipeline_id, stage_id ORDER BY _file DESC, _line DESC) = 1
