-- Deals with what is known of their people and companies, and whether the flags that close them could
-- be read: a spreadsheet may have translated them.
SELECT d.*, t.job_title, k.account, k.contact,
    CASE WHEN COALESCE(lower(d.is_won), 'false') IN ('true', 't', 'yes', '1', 'false', 'f', 'no', '0')
            AND COALESCE(lower(d.is_closed), 'false')
                IN ('true', 't', 'yes', '1', 'false', 'f', 'no', '0') THEN 'read'
        ELSE 'not read: ' || concat_ws(', ', d.is_won, d.is_closed) END AS flags
FROM deal_rows AS d
LEFT JOIN titles AS t ON t.deal_id = d.lead_id
LEFT JOIN deal_keys AS k ON k.deal_id = d.lead_id
