-- Deals, and whether they closed before the day on which they were created.
SELECT d.*,
    COALESCE(
        d.state IN ('won', 'lost') AND e.moment < date_trunc('day', c.moment), false
    ) AS closed_before_created
FROM deal_rows AS d
LEFT JOIN moments AS c ON c.text = d."Created Time"
LEFT JOIN moments AS e ON e.text = d."Closing Date"
