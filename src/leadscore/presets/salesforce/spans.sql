-- From when until when each opportunity was open: what was done with its people then counts for it.
WITH turns AS (
    SELECT lead_id, TRY_CAST(created AS TIMESTAMP) AS moment, true AS is_open FROM states
    UNION ALL
    SELECT lead_id, moment, state = 'open' FROM entered
    UNION ALL
    SELECT lead_id, TRY_CAST(happened_at AS TIMESTAMP), false FROM closes
),
spans AS (
    SELECT lead_id, is_open, moment AS begins, LEAD(moment) OVER (
        PARTITION BY lead_id ORDER BY moment, NOT is_open
    ) AS ends
    FROM turns
    WHERE moment IS NOT NULL
)
SELECT s.lead_id, s.begins, s.ends, left(o.AccountId, 15) AS account_id
FROM spans AS s
JOIN opportunities AS o ON o.Id = s.lead_id
WHERE s.is_open AND (s.ends IS NULL OR s.begins < s.ends)
