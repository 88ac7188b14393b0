-- From when until when each deal was open: what was done with its contact then counts for it. Of a close
-- that has only a day, until the end of it.
WITH closed AS (
    SELECT c.lead_id,
        CASE WHEN m.text NOT LIKE '%:%' THEN m.moment + INTERVAL 1 DAY ELSE m.moment END AS moment
    FROM closings AS c
    JOIN moments AS m ON m.text = c.happened_at
),
turns AS (
    SELECT d.lead_id, m.moment,
        NOT EXISTS (
            SELECT 1 FROM closed AS c WHERE c.lead_id = d.lead_id AND c.moment <= m.moment
        ) AS is_open
    FROM deal_rows AS d
    JOIN moments AS m ON m.text = d."Created Time"
    UNION ALL
    SELECT lead_id, moment, state = 'open' FROM entered
    UNION ALL
    SELECT lead_id, moment, false FROM closed
),
spans AS (
    SELECT lead_id, is_open, moment AS begins, LEAD(moment) OVER (
        PARTITION BY lead_id ORDER BY moment, NOT is_open
    ) AS ends
    FROM turns
    WHERE moment IS NOT NULL
)
SELECT s.lead_id, d.person, s.begins, s.ends
FROM spans AS s
JOIN deal_rows AS d ON d.lead_id = s.lead_id
WHERE s.is_open AND d.person IS NOT NULL
