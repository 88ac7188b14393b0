-- Activities of deals. One that is linked to deals belongs to those; one that is linked to people
-- only, to the deals that they had open at that time, a task to those when it was made.
WITH timed AS (
    SELECT a.*, p.planned_at, p.due_at,
        TRY_CAST(COALESCE(p.planned_at, a.happened_at) AS TIMESTAMP) AS moment
    FROM engagements AS a
    LEFT JOIN task_plans AS p ON p.engagement_id = a.engagement_id
),
direct AS (
    SELECT DISTINCT l.engagement_id, COALESCE(m.deal_id, l.deal_id) AS deal_id
    FROM engagement_deals AS l
    LEFT JOIN merged_deals AS m ON m.merged_deal_id = l.deal_id
),
through_people AS (
    SELECT DISTINCT a.engagement_id, s.deal_id
    FROM timed AS a
    JOIN engagement_people AS p ON p.engagement_id = a.engagement_id
    JOIN deal_people AS d ON d.contact_id = p.contact_id
    JOIN spans AS s ON s.deal_id = d.deal_id AND s.is_open
        AND a.moment >= s.begins AND (s.ends IS NULL OR a.moment < s.ends)
    WHERE NOT EXISTS (SELECT 1 FROM direct AS l WHERE l.engagement_id = a.engagement_id)
),
links AS (
    SELECT * FROM direct
    UNION ALL
    SELECT * FROM through_people
),
linked AS (
    SELECT l.deal_id, a.*
    FROM links AS l
    JOIN timed AS a ON a.engagement_id = l.engagement_id
)
SELECT deal_id, engagement_id, kind, actor, outcome, booked_at, happened_at, duration_s, is_deleted,
    _file, _line
FROM linked
WHERE outcome IS DISTINCT FROM 'planned' OR planned_at IS NULL OR is_deleted
UNION ALL
SELECT deal_id, engagement_id || ' due', kind, actor, 'planned', planned_at, due_at, NULL, is_deleted,
    _file, _line
FROM linked
WHERE planned_at IS NOT NULL AND NOT is_deleted
ORDER BY _file, _line, deal_id, engagement_id
