-- Activities of opportunities. What is linked to one belongs to it; what is linked to a contact, to
-- the contact's opportunities that were open then; what is linked to an account, to its opportunity
-- if just one was open then.
WITH timed AS (
    SELECT *, TRY_CAST(happened_at AS TIMESTAMP) AS moment FROM engagements
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
)
SELECT l.lead_id, a.activity_id, a.kind, a.actor, a.outcome, a.booked_at, a.happened_at,
    a.duration_s, a.is_deleted, a.is_series, a.is_copy, a._file, a._line
FROM links AS l
JOIN timed AS a ON a.activity_id = l.activity_id
ORDER BY a._file, a._line, l.lead_id
