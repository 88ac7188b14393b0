-- The company and the person of a deal: its primary company, else, of several, the one that HubSpot has
-- known longest, which has the smallest id.
WITH companies AS (
    SELECT deal_id, arg_min(
        company_id,
        (NOT COALESCE(is_primary, false), TRY_CAST(company_id AS BIGINT), company_id)
    ) AS company_id
    FROM deal_companies
    WHERE company_id <> ''
    GROUP BY deal_id
),
people AS (
    SELECT deal_id, arg_min(contact_id, (TRY_CAST(contact_id AS BIGINT), contact_id)) AS contact_id
    FROM deal_people
    WHERE contact_id <> ''
    GROUP BY deal_id
)
SELECT d.lead_id AS deal_id, COALESCE(MIN(d.company_now), MIN(c.company_id)) AS account,
    MIN(p.contact_id) AS contact
FROM deal_rows AS d
LEFT JOIN companies AS c ON c.deal_id = d.lead_id
LEFT JOIN people AS p ON p.deal_id = d.lead_id
GROUP BY d.lead_id
