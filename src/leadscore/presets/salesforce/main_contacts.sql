-- The main contact of an opportunity: that of its primary role, else of its own field.
SELECT o.Id AS lead_id, COALESCE(
    MIN(left(r.ContactId, 15)),
    MIN(CASE WHEN o.ContactId LIKE '003%' THEN left(o.ContactId, 15) END)
) AS contact
FROM opportunities AS o
LEFT JOIN contact_roles AS r
    ON left(r.OpportunityId, 15) = left(o.Id, 15)
    AND r.ContactId LIKE '003%'
    AND lower(r.IsPrimary) IN ('1', 'true', 't')
    AND COALESCE(lower(r.IsDeleted), '0') NOT IN ('1', 'true', 't')
GROUP BY o.Id
