-- The company of a customer: Odoo's commercial partner, which is the customer itself if it has no company.
SELECT regexp_replace(id, '\.0$', '') AS person, MIN(regexp_replace(commercial_partner_id, '\.0$', '')) AS company
FROM res_partner
GROUP BY person
