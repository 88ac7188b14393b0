-- Deals by the names that the other views use, with their state. Newer exports write zcrm_ before ids.
-- A row that stands twice counts once, and of several versions the latest.
-- A spreadsheet rounds ids of 19 digits, after which several deals may have the same one.
WITH once AS (
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM deals ORDER BY _file, _line
),
named AS (
    SELECT *, regexp_replace(COALESCE("Record Id", "Id"), '^zcrm_', '') AS lead_id,
        regexp_replace(COALESCE("Contact Name.id", "Contact Name"), '^zcrm_', '') AS person,
        regexp_replace(COALESCE("Account Name.id", "Account Name"), '^zcrm_', '') AS organisation,
        COALESCE("Deal Owner", "Deal Owner Name") AS owner_now,
        -- what a spreadsheet leaves where a formula failed
        CASE WHEN "Amount" NOT LIKE '#%' THEN "Amount" END AS amount_now,
        CASE WHEN COALESCE("Lost Reason", "Reason For Loss") NOT LIKE '#%'
            THEN COALESCE("Lost Reason", "Reason For Loss") END AS reason,
        TRY_CAST(COALESCE("Probability (%)", "Probability") AS DOUBLE) AS chance
    FROM once
    QUALIFY COALESCE(regexp_matches(lead_id, '^[0-9.,]+E\+'), true)
        OR rank() OVER (PARTITION BY lead_id ORDER BY "Modified Time" DESC NULLS LAST) = 1
)
SELECT d.*,
    CASE WHEN NOT regexp_matches(d.organisation, '^[0-9.,]+E\+') THEN d.organisation END AS account,
    CASE WHEN NOT regexp_matches(d.person, '^[0-9.,]+E\+') THEN d.person END AS contact,
    CASE WHEN regexp_matches(d.lead_id, '^[0-9.,]+E\+') THEN 'unknown: the id is rounded'
        WHEN s.state IS NOT NULL THEN s.state
        WHEN d.chance >= 100 THEN 'won'
        WHEN d.chance = 0 THEN 'lost'
        WHEN d.chance > 0 THEN 'open'
        ELSE 'unknown: ' || d."Stage" END AS state
FROM named AS d
LEFT JOIN stage_states AS s ON s.stage = d."Stage"
