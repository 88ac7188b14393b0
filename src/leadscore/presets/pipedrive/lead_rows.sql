-- Leads under the names of deals: converted is won, archived is lost. The value is an object, or two
-- columns. A row that stands twice counts once, and of several versions of a lead the latest.
WITH once AS (
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM inbox ORDER BY _file, _line
),
latest AS (
    SELECT * FROM once
    QUALIFY id IS NULL
        OR rank() OVER (PARTITION BY id ORDER BY update_time DESC NULLS LAST) = 1
)
SELECT l.*, l.id AS lead_id, l.add_time AS created, l.owner_id AS owner_now, l.person_id AS person,
    l.organization_id AS organisation,
    COALESCE(
        l.value__amount, NULLIF(regexp_extract(l.value, '"amount"\s*:\s*([0-9.]+)', 1), '')
    ) AS amount_now,
    COALESCE(
        l.value__currency, NULLIF(regexp_extract(l.value, '"currency"\s*:\s*"(\w+)"', 1), '')
    ) AS currency_now,
    CASE WHEN c.lead_id IS NOT NULL THEN 'won'
        WHEN lower(l.is_archived) IN ('true', 't', '1') THEN 'lost'
        ELSE 'open' END AS status,
    c.converted_at AS won_time, l.archive_time AS lost_time, CAST(NULL AS VARCHAR) AS close_time,
    CAST(NULL AS VARCHAR) AS lost_reason
FROM latest AS l
LEFT JOIN (
    SELECT lead_id, MIN(converted_at) AS converted_at FROM conversions GROUP BY lead_id
) AS c ON c.lead_id = l.id
