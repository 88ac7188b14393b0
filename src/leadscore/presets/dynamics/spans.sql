-- From when until when each opportunity was open, with the people and the account that it is about:
-- what was done with them then counts for it.
WITH moments AS (
    SELECT lead_id, TRY_CAST(created AS TIMESTAMP) AS moment, true AS is_open FROM opportunity_rows
    UNION ALL
    SELECT lead_id, moment, status = 'open' FROM turns
    UNION ALL
    SELECT lead_id, TRY_CAST(happened_at AS TIMESTAMP), false FROM closes
),
spans AS (
    SELECT lead_id, is_open, moment AS begins, LEAD(moment) OVER (
        PARTITION BY lead_id ORDER BY moment, NOT is_open
    ) AS ends
    FROM moments
    WHERE moment IS NOT NULL
),
people AS (
    SELECT lower(trim(contactid, '{}')) AS contact FROM contact WHERE contactid IS NOT NULL
),
parties AS (
    SELECT lead_id, contact AS party, false AS is_account FROM opportunity_rows
    UNION
    SELECT lead_id, lead_before, false FROM opportunity_rows
    UNION
    SELECT lead_id, account, true FROM opportunity_rows
    UNION
    -- a customer is a contact or an account
    SELECT lead_id, customer, customer NOT IN (SELECT contact FROM people) FROM opportunity_rows
)
SELECT s.lead_id, s.begins, s.ends, p.party, p.is_account
FROM spans AS s
JOIN parties AS p ON p.lead_id = s.lead_id
WHERE s.is_open AND p.party IS NOT NULL
