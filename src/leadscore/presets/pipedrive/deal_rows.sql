-- Deals by the names that the other views use. In older versions of the API a user or a person is an
-- object with the id in it; its newer one has owner_id and is_deleted. A row that stands twice counts
-- once, and of several versions of a deal the latest.
WITH once AS (
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM deals ORDER BY _file, _line
)
SELECT *, id AS lead_id, add_time AS created, stage_id AS stage_now, value AS amount_now,
    currency AS currency_now, origin AS made_by,
    COALESCE(NULLIF(regexp_extract(owner, '"(id|value)"\s*:\s*([0-9]+)', 2), ''), owner)
        AS owner_now,
    COALESCE(NULLIF(regexp_extract(person_id, '"(id|value)"\s*:\s*([0-9]+)', 2), ''), person_id)
        AS person,
    COALESCE(NULLIF(regexp_extract(org_id, '"(id|value)"\s*:\s*([0-9]+)', 2), ''), org_id)
        AS organisation,
    COALESCE(
        lower(COALESCE(deleted, is_deleted)) IN ('true', 't', '1') OR status = 'deleted', false
    ) AS is_gone
FROM (
    SELECT *, COALESCE(owner_id, user_id) AS owner
    FROM once
    QUALIFY id IS NULL
        OR rank() OVER (PARTITION BY id ORDER BY update_time DESC NULLS LAST) = 1
) AS d
