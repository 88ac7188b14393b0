-- From when until when each deal was open: what was done with its person then counts for it.
WITH moments AS (
    SELECT lead_id, TRY_CAST(created AS TIMESTAMP) AS moment, true AS is_open FROM deal_rows
    UNION ALL
    SELECT lead_id, moment, status = 'open' FROM turns
    UNION ALL
    SELECT lead_id, TRY_CAST(happened_at AS TIMESTAMP), false FROM closes
),
spans AS (
    SELECT lead_id, is_open, moment AS begins, LEAD(moment) OVER (
        PARTITION BY lead_id ORDER BY moment, NOT is_open
    ) AS ends
    FROM moments
    WHERE moment IS NOT NULL
)
SELECT s.lead_id, s.begins, s.ends, d.person
FROM spans AS s
JOIN deal_rows AS d ON d.lead_id = s.lead_id
WHERE s.is_open AND d.person IS NOT NULL
