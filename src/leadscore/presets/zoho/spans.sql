-- From when until when each deal was open: what was done with its contact then counts for it. Of a close
-- only the day is known.
SELECT d.lead_id, d.person, c.moment AS begins,
    CASE WHEN d.state IN ('won', 'lost')
        THEN date_trunc('day', e.moment) + INTERVAL 1 DAY END AS ends
FROM deal_rows AS d
JOIN moments AS c ON c.text = d."Created Time"
LEFT JOIN moments AS e ON e.text = d."Closing Date"
WHERE d.person IS NOT NULL
