-- Activities of deals. One without a deal belongs to the deals that its person had open then, or when
-- it was planned.
WITH timed AS (
    SELECT a.*, p.planned_at, p.due_at,
        TRY_CAST(COALESCE(p.planned_at, a.happened_at) AS TIMESTAMP) AS moment
    FROM engagements AS a
    LEFT JOIN task_plans AS p ON p.activity_id = a.activity_id
),
direct AS (
    SELECT activity_id, deal AS lead_id FROM engagements WHERE deal IS NOT NULL
),
by_person AS (
    SELECT DISTINCT a.activity_id, s.lead_id
    FROM timed AS a
    JOIN spans AS s ON s.person = a.person
        AND a.moment >= s.begins AND (s.ends IS NULL OR a.moment < s.ends)
    WHERE a.deal IS NULL
),
links AS (
    SELECT * FROM direct
    UNION ALL
    SELECT * FROM by_person
),
linked AS (
    SELECT l.lead_id, a.*
    FROM links AS l
    JOIN timed AS a ON a.activity_id = l.activity_id
)
SELECT lead_id, activity_id, kind, actor, outcome, CAST(NULL AS VARCHAR) AS booked_at, happened_at,
    duration_s, is_deleted, _file, _line
FROM linked
WHERE outcome IS DISTINCT FROM 'planned' OR planned_at IS NULL OR is_deleted
UNION ALL
SELECT lead_id, activity_id || ' due', kind, actor, 'planned', planned_at, due_at, NULL, is_deleted,
    _file, _line
FROM linked
WHERE planned_at IS NOT NULL AND NOT is_deleted
ORDER BY _file, _line, lead_id, activity_id
