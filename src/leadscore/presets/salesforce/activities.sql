-- Activities of opportunities. What is linked to one belongs to it; what is linked to a contact, to
-- the contact's opportunities that were open then; what is linked to an account, to its opportunity
-- if just one was open then. A task counts for those that were open when it was made.
WITH timed AS (
    SELECT a.*, p.planned_at, p.due_at,
        TRY_CAST(COALESCE(p.planned_at, a.happened_at) AS TIMESTAMP) AS moment
    FROM engagements AS a
    LEFT JOIN task_plans AS p ON p.activity_id = a.activity_id
),
direct AS (
    SELECT a.activity_id, o.Id AS lead_id
    FROM timed AS a
    JOIN opportunities AS o ON left(o.Id, 15) = left(a.what_id, 15)
),
people AS (
    SELECT activity_id, left(who_id, 15) AS contact_id FROM timed
    UNION
    SELECT activity_id, left(contact_id, 15) FROM activity_people
),
by_person AS (
    SELECT DISTINCT a.activity_id, s.lead_id
    FROM timed AS a
    JOIN people AS p ON p.activity_id = a.activity_id
    JOIN opportunity_people AS r ON r.contact_id = p.contact_id
    JOIN spans AS s ON s.lead_id = r.lead_id
        AND a.moment >= s.begins AND (s.ends IS NULL OR a.moment < s.ends)
    WHERE NOT EXISTS (SELECT 1 FROM direct AS d WHERE d.activity_id = a.activity_id)
),
accounts AS (
    SELECT activity_id, left(COALESCE(
        account_id, CASE WHEN what_id LIKE '001%' THEN what_id END, c.AccountId
    ), 15) AS account_id, a.moment
    FROM timed AS a
    LEFT JOIN contacts AS c ON left(c.Id, 15) = left(a.who_id, 15)
),
by_account AS (
    SELECT a.activity_id, MIN(s.lead_id) AS lead_id
    FROM accounts AS a
    JOIN spans AS s ON s.account_id = a.account_id
        AND a.moment >= s.begins AND (s.ends IS NULL OR a.moment < s.ends)
    WHERE NOT EXISTS (SELECT 1 FROM direct AS d WHERE d.activity_id = a.activity_id)
        AND NOT EXISTS (SELECT 1 FROM by_person AS p WHERE p.activity_id = a.activity_id)
    GROUP BY a.activity_id
    HAVING COUNT(DISTINCT s.lead_id) = 1
),
links AS (
    SELECT * FROM direct
    UNION ALL
    SELECT * FROM by_person
    UNION ALL
    SELECT * FROM by_account
),
linked AS (
    SELECT l.lead_id, a.*
    FROM links AS l
    JOIN timed AS a ON a.activity_id = l.activity_id
)
SELECT lead_id, activity_id, kind, actor, outcome, booked_at, happened_at, duration_s, is_deleted,
    is_series, is_copy, _file, _line
FROM linked
WHERE outcome IS DISTINCT FROM 'planned' OR planned_at IS NULL OR is_deleted
UNION ALL
SELECT lead_id, activity_id || ' due',
    CASE kind WHEN 'call_attempt' THEN 'call' ELSE kind END,  -- nobody had called yet
    actor, 'planned', planned_at, due_at, NULL, is_deleted, is_series, is_copy, _file, _line
FROM linked
WHERE planned_at IS NOT NULL AND NOT is_deleted
ORDER BY _file, _line, lead_id, activity_id
