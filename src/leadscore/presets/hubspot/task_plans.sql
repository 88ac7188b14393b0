-- Tasks that were open for a while: next steps, known from when they were made, until they are due.
SELECT engagement_id, created_at AS planned_at, due_at
FROM tasks
WHERE TRY_CAST(created_at AS DATE) <= TRY_CAST(due_at AS DATE)
    AND (
        status IS DISTINCT FROM 'COMPLETED'
        OR TRY_CAST(done_at AS TIMESTAMP) > TRY_CAST(created_at AS TIMESTAMP)
    )
