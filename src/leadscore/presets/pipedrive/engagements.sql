-- Activities and notes: what happened when. Due is not done: an activity happened when it was marked
-- as done.
WITH done AS (
    SELECT *, lower(done) IN ('true', 't', '1') AS is_done,
        due_date || COALESCE(' ' || due_time, '') AS due_at,
        COALESCE(NULLIF(regexp_extract(person_id, '"(id|value)"\s*:\s*([0-9]+)', 2), ''), person_id)
            AS person
    FROM activities_list
)
SELECT 'activity ' || id AS activity_id, deal_id AS deal, person,
    CASE WHEN type = 'deadline' THEN 'task' ELSE type END AS kind, 'rep' AS actor,
    CASE WHEN is_done THEN NULL ELSE 'planned' END AS outcome,
    CASE WHEN is_done THEN COALESCE(marked_as_done_time, due_at) ELSE due_at END AS happened_at,
    NULLIF(CAST(epoch(TRY_CAST(duration || ':00' AS INTERVAL)) AS BIGINT), 0) AS duration_s,
    COALESCE(lower(active_flag) IN ('false', 'f', '0') OR lower(is_deleted) IN ('true', 't', '1'), false)
        AS is_deleted,
    _file, _line
FROM done
UNION ALL
SELECT 'note ' || id, deal_id, person_id, 'note', 'rep', NULL, add_time, NULL,
    COALESCE(lower(active_flag) IN ('false', 'f', '0'), false), _file, _line
FROM notes
