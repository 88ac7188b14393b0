-- Activities of leads. A message of a customer belongs to the leads that the customer had open then.
WITH links AS (
    SELECT activity_id, record AS lead_id FROM engagements WHERE model = 'crm.lead'
    UNION ALL
    SELECT DISTINCT e.activity_id, s.lead_id
    FROM engagements AS e
    JOIN spans AS s ON s.person = e.record
        AND TRY_CAST(e.happened_at AS TIMESTAMP) >= s.begins
        AND (s.ends IS NULL OR TRY_CAST(e.happened_at AS TIMESTAMP) < s.ends)
    WHERE e.model = 'res.partner'
)
SELECT l.lead_id, e.activity_id, e.kind, e.actor, e.outcome, e.booked_at, e.happened_at, e.duration_s,
    e.is_copy, e._file, e._line
FROM links AS l
JOIN engagements AS e ON e.activity_id = l.activity_id
ORDER BY e._file, e._line, l.lead_id
