-- Activities of deals. One without a deal belongs to the deals that its person had open then.
WITH direct AS (
    SELECT activity_id, deal AS lead_id FROM engagements WHERE deal IS NOT NULL
),
by_person AS (
    SELECT DISTINCT a.activity_id, s.lead_id
    FROM engagements AS a
    JOIN spans AS s ON s.person = a.person
        AND TRY_CAST(a.happened_at AS TIMESTAMP) >= s.begins
        AND (s.ends IS NULL OR TRY_CAST(a.happened_at AS TIMESTAMP) < s.ends)
    WHERE a.deal IS NULL
),
links AS (
    SELECT * FROM direct
    UNION ALL
    SELECT * FROM by_person
)
SELECT l.lead_id, a.activity_id, a.kind, a.actor, a.outcome, a.happened_at, a.duration_s,
    a.is_deleted, a._file, a._line
FROM links AS l
JOIN engagements AS a ON a.activity_id = l.activity_id
ORDER BY a._file, a._line, l.lead_id
