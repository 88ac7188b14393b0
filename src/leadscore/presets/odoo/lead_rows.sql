-- Leads by the names that the other views use. Lost is no stage: a lost lead is archived, with
-- probability 0. Ids are written as 7.0 by tools that read them as numbers.
WITH flagged AS (
    SELECT *, regexp_replace(id, '\.0$', '') AS lead_id,
        COALESCE(lower(active) IN ('f', 'false', '0'), false) AS is_archived,
        TRY_CAST(probability AS DOUBLE) AS chance,
        regexp_replace(stage_id, '\.0$', '') AS stage_now,
        regexp_replace(user_id, '\.0$', '') AS owner_now,
        regexp_replace(partner_id, '\.0$', '') AS person,
        regexp_replace(company_id, '\.0$', '') AS company,
        regexp_replace(source_id, '\.0$', '') AS source_key,
        regexp_replace(COALESCE(lost_reason_id, lost_reason), '\.0$', '') AS reason_key
    FROM (
        -- a row that stands twice counts once
        SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM crm_lead ORDER BY _file, _line
    )
),
companies AS (
    SELECT c.id, MIN(m.name) AS currency
    FROM res_company AS c
    JOIN res_currency AS m ON m.id = regexp_replace(c.currency_id, '\.0$', '')
    GROUP BY c.id
),
sources AS (SELECT id, MIN(name) AS name FROM utm_source GROUP BY id),
reasons AS (SELECT id, MIN(name) AS name FROM crm_lost_reason GROUP BY id)
SELECT l.*, l.create_date AS created, l.function AS job_title,
    COALESCE(l.expected_revenue, l.planned_revenue) AS amount_now,
    COALESCE(c.currency, l.company_currency) AS currency_now,
    COALESCE(NULLIF(regexp_extract(u.name, '"en_US"\s*:\s*"([^"]*)"', 1), ''), u.name, l.source_key)
        AS source_now,
    COALESCE(NULLIF(regexp_extract(r.name, '"en_US"\s*:\s*"([^"]*)"', 1), ''), r.name, l.reason_key)
        AS reason_now,
    COALESCE(p.company, l.person) AS company_of_person,
    CASE WHEN lower(l.active) NOT IN ('t', 'true', '1', 'f', 'false', '0')
            THEN 'unknown: active is ' || l.active
        WHEN l.won_status IN ('won', 'lost') THEN l.won_status
        WHEN l.is_archived AND l.chance = 0 THEN 'lost'
        WHEN l.chance >= 100 OR s.is_won THEN 'won'
        WHEN l.is_archived THEN 'archived'
        ELSE 'open' END AS state
FROM flagged AS l
LEFT JOIN stages_by_id AS s ON s.stage_id = l.stage_now
LEFT JOIN companies AS c ON c.id = l.company
LEFT JOIN sources AS u ON u.id = l.source_key
LEFT JOIN reasons AS r ON r.id = l.reason_key
LEFT JOIN partners AS p ON p.person = l.person
