-- From when until when each deal was open: what was done with a person then counts for it.
WITH turns AS (
    SELECT deal_id, TRY_CAST(created AS TIMESTAMP) AS moment, true AS is_open FROM deal_states
    UNION ALL
    SELECT deal_id, moment, state = 'open' FROM entered
    UNION ALL
    SELECT deal_id, TRY_CAST(happened_at AS TIMESTAMP), false FROM closes
)
SELECT deal_id, is_open, moment AS begins, LEAD(moment) OVER (
    PARTITION BY deal_id ORDER BY moment, NOT is_open
) AS ends
FROM turns
WHERE moment IS NOT NULL
