-- Names of stages. Only those of the oldest pipeline stand alone, since names repeat.
SELECT s.id AS stage_id,
    CASE WHEN TRY_CAST(s.pipeline_id AS BIGINT) = MIN(TRY_CAST(s.pipeline_id AS BIGINT)) OVER ()
            OR COALESCE(p.name, s.pipeline_name) IS NULL
        THEN s.name
        ELSE s.name || ' (' || COALESCE(p.name, s.pipeline_name) || ')' END AS name
FROM stage_list AS s
LEFT JOIN pipeline_list AS p ON p.id = s.pipeline_id
QUALIFY row_number() OVER (PARTITION BY s.id ORDER BY s._file, s._line, p._file, p._line) = 1
