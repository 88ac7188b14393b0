-- Deals with what is known of their people and companies.
SELECT d.*, t.job_title, k.account, k.contact
FROM deal_rows AS d
LEFT JOIN titles AS t ON t.deal_id = d.lead_id
LEFT JOIN deal_keys AS k ON k.deal_id = d.lead_id
