-- Opportunities with the labels of their options.
WITH titles AS (
    SELECT lower(trim(contactid, '{}')) AS contact, MIN(jobtitle) AS job_title
    FROM contact
    GROUP BY ALL
)
SELECT r.lead_id, r.created, r.inserted, r.state, r.ownerid, r.estimatedvalue, r.estimatedclosedate,
    r.is_gone, c.currency AS currency_now, COALESCE(t.job_title, u.job_title) AS job_title,
    -- a customer is a contact or an account
    COALESCE(r.account, CASE WHEN u.contact IS NULL THEN r.customer END) AS account,
    COALESCE(r.contact, u.contact) AS contact,
    w.budgetstatus, w.need, w.timeframe, w.decisionmaker, r._file, r._line
FROM opportunity_rows AS r
JOIN answers AS w ON w.lead_id = r.lead_id AND w._file = r._file AND w._line = r._line
LEFT JOIN titles AS t ON t.contact = r.contact
LEFT JOIN titles AS u ON u.contact = r.customer
LEFT JOIN currencies AS c ON c.id = r.currency_key
