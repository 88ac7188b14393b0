-- Tasks that were open for a while: next steps, known from when they were made, until they are due.
SELECT Id AS activity_id, CreatedDate AS planned_at, left(ActivityDate, 10) AS due_at
FROM tasks
WHERE TRY_CAST(CreatedDate AS DATE) <= TRY_CAST(left(ActivityDate, 10) AS DATE)
    AND (
        lower(COALESCE(IsClosed, CASE Status WHEN 'Completed' THEN '1' END, '0'))
            NOT IN ('1', 'true', 't')
        OR TRY_CAST(CompletedDateTime AS TIMESTAMP) > TRY_CAST(CreatedDate AS TIMESTAMP)
    )
