-- Activities of deals. One that is linked to deals belongs to those; one that is linked to people
-- only, to the deals that they had open at that time.
WITH direct AS (
    SELECT DISTINCT l.engagement_id, COALESCE(m.deal_id, l.deal_id) AS deal_id
    FROM engagement_deals AS l
    LEFT JOIN merged_deals AS m ON m.merged_deal_id = l.deal_id
),
through_people AS (
    SELECT DISTINCT a.engagement_id, s.deal_id
    FROM engagements AS a
    JOIN engagement_people AS p ON p.engagement_id = a.engagement_id
    JOIN deal_people AS d ON d.contact_id = p.contact_id
    JOIN spans AS s ON s.deal_id = d.deal_id AND s.is_open
        AND TRY_CAST(a.happened_at AS TIMESTAMP) >= s.begins
        AND (s.ends IS NULL OR TRY_CAST(a.happened_at AS TIMESTAMP) < s.ends)
    WHERE NOT EXISTS (SELECT 1 FROM direct AS l WHERE l.engagement_id = a.engagement_id)
),
links AS (
    SELECT * FROM direct
    UNION ALL
    SELECT * FROM through_people
)
SELECT l.deal_id, a.engagement_id, a.kind, a.actor, a.outcome, a.booked_at, a.happened_at,
    a.duration_s, a.is_deleted, a._file, a._line
FROM links AS l
JOIN engagements AS a ON a.engagement_id = l.engagement_id
ORDER BY a._file, a._line, l.deal_id
