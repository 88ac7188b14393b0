-- Activities: what happened when. Due is not done: an activity happened when it was marked as done.
WITH listed AS (
    SELECT *, lower("Activity - Done") IN ('done', 'yes', 'true', 't', '1') AS is_done,
        "Activity - Due date" || COALESCE(' ' || "Activity - Due time", '') AS due_at
    FROM activities_list
)
SELECT COALESCE("Activity - ID", _file || ' ' || _line) AS activity_id,
    "Deal - ID" AS deal, "Person - Name" AS person,
    CASE WHEN lower("Activity - Type") = 'deadline' THEN 'task'
        ELSE replace(lower("Activity - Type"), ' ', '_') END AS kind,
    'rep' AS actor,
    CASE WHEN is_done THEN NULL ELSE 'planned' END AS outcome,
    CASE WHEN is_done THEN COALESCE("Activity - Marked as done time", due_at) ELSE due_at END
        AS happened_at,
    NULLIF(CAST(epoch(TRY_CAST("Activity - Duration" || ':00' AS INTERVAL)) AS BIGINT), 0)
        AS duration_s,
    false AS is_deleted, _file, _line
FROM listed
