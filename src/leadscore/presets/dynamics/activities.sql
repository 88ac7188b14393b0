-- Activities of opportunities. What is regarding one belongs to it; what is linked to a person or to
-- the lead before it, to the person's opportunities that were open then; what is linked to an
-- account only, to its opportunity if just one was open then. A task counts for those that were open
-- when it was made.
WITH timed AS (
    SELECT a.*, p.planned_at, p.due_at,
        TRY_CAST(COALESCE(p.planned_at, a.happened_at) AS TIMESTAMP) AS moment
    FROM engagements AS a
    LEFT JOIN task_plans AS p ON p.activity_id = a.activity_id
),
direct AS (
    SELECT a.activity_id, o.lead_id
    FROM timed AS a
    JOIN opportunity_rows AS o ON o.lead_id = a.about
),
parties AS (
    SELECT activity_id, about AS party FROM timed
    UNION
    SELECT lower(trim(COALESCE(activityid, _activityid_value), '{}')),
        lower(trim(COALESCE(partyid, _partyid_value), '{}'))
    FROM activityparty
),
open_then AS (
    SELECT DISTINCT a.activity_id, s.lead_id, s.is_account
    FROM timed AS a
    JOIN parties AS p ON p.activity_id = a.activity_id
    JOIN spans AS s ON s.party = p.party
        AND a.moment >= s.begins AND (s.ends IS NULL OR a.moment < s.ends)
    WHERE NOT EXISTS (SELECT 1 FROM direct AS d WHERE d.activity_id = a.activity_id)
),
links AS (
    SELECT * FROM direct
    UNION ALL
    SELECT DISTINCT activity_id, lead_id FROM open_then WHERE NOT is_account
    UNION ALL
    SELECT activity_id, MIN(lead_id) FROM open_then
    GROUP BY activity_id
    HAVING bool_and(is_account) AND COUNT(DISTINCT lead_id) = 1
),
linked AS (
    SELECT l.lead_id, a.*
    FROM links AS l
    JOIN timed AS a ON a.activity_id = l.activity_id
)
SELECT lead_id, activity_id, kind, actor, outcome, booked_at, happened_at, duration_s, is_deleted,
    _file, _line
FROM linked
WHERE outcome IS DISTINCT FROM 'planned' OR planned_at IS NULL OR is_deleted
UNION ALL
SELECT lead_id, activity_id || ' due',
    CASE kind WHEN 'call_attempt' THEN 'phonecall' ELSE kind END,  -- nobody had called yet
    'rep', 'planned', planned_at, due_at, NULL, is_deleted, _file, _line
FROM linked
WHERE planned_at IS NOT NULL AND NOT is_deleted
ORDER BY _file, _line, lead_id, activity_id
