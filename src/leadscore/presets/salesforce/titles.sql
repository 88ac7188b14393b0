-- The job titles of an opportunity's contacts.
SELECT p.lead_id, string_agg(c.Title, '; ' ORDER BY c.Id, c.Title) AS job_title
FROM opportunity_people AS p
JOIN (SELECT DISTINCT Id, Title FROM contacts) AS c ON left(c.Id, 15) = p.contact_id
GROUP BY p.lead_id
