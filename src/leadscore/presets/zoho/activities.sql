-- Calls of deals. A call that names no deal belongs to those that its contact had open then.
WITH direct AS (
    SELECT DISTINCT e.activity_id, d.lead_id
    FROM engagements AS e
    JOIN deal_rows AS d ON d.lead_id = e.deal
),
by_person AS (
    SELECT DISTINCT e.activity_id, s.lead_id
    FROM engagements AS e
    JOIN moments AS m ON m.text = e.happened_at
    JOIN spans AS s ON s.person = e.person
        AND m.moment >= s.begins AND (s.ends IS NULL OR m.moment < s.ends)
    WHERE NOT EXISTS (SELECT 1 FROM direct AS d WHERE d.activity_id = e.activity_id)
),
links AS (
    SELECT * FROM direct
    UNION ALL
    SELECT * FROM by_person
)
SELECT l.lead_id, e.activity_id, e.kind, e.actor, e.outcome, e.happened_at, e.duration_s,
    e.is_deleted, e._file, e._line
FROM links AS l
JOIN engagements AS e ON e.activity_id = l.activity_id
ORDER BY e._file, e._line, l.lead_id
