-- The contacts of opportunities; the field ContactId is seldom filled in.
SELECT DISTINCT o.Id AS lead_id, left(p.contact_id, 15) AS contact_id
FROM (
    SELECT OpportunityId AS id, ContactId AS contact_id FROM contact_roles
    WHERE COALESCE(lower(IsDeleted), '0') NOT IN ('1', 'true', 't')
    UNION ALL
    SELECT Id, ContactId FROM opportunities
) AS p
JOIN opportunities AS o ON left(o.Id, 15) = left(p.id, 15)
WHERE p.contact_id LIKE '003%'
