-- Leads with the labels of their options.
SELECT r.lead_id, r.created, r.inserted, r.state, r.ownerid, r.estimatedvalue, r.is_gone,
    c.currency AS currency_now, l.jobtitle AS job_title, l.numberofemployees, l.revenue,
    COALESCE(s.label, l.leadsourcecode) AS source, COALESCE(q.label, l.leadqualitycode) AS rating,
    COALESCE(r.account, NULLIF(lower(trim(l.companyname)), '')) AS account, r.contact,
    w.budgetstatus, w.need, w.timeframe, w.decisionmaker, r._file, r._line
FROM opportunity_rows AS r
JOIN lead AS l ON l._file = r._file AND l._line = r._line
JOIN answers AS w ON w.lead_id = r.lead_id AND w._file = r._file AND w._line = r._line
LEFT JOIN options AS s
    ON s.field = 'leadsourcecode' AND s.code = regexp_replace(l.leadsourcecode, '\.0$', '')
LEFT JOIN options AS q
    ON q.field = 'leadqualitycode' AND q.code = regexp_replace(l.leadqualitycode, '\.0$', '')
LEFT JOIN currencies AS c ON c.id = r.currency_key
