-- Deals by the names that the other views use. Some headers have changed over the years.
SELECT *, "Deal - ID" AS lead_id,
    COALESCE("Deal - Deal created", "Deal - Add time") AS created,
    lower("Deal - Status") AS status,
    COALESCE("Deal - Stage", "Deal - Stage (pipeline)") AS stage_now,
    "Deal - Value" AS amount_now,
    COALESCE("Deal - Currency of value", "Deal - Currency") AS currency_now,
    "Deal - Owner" AS owner_now, "Deal - Contact person" AS person,
    "Deal - Organization" AS organisation,
    "Deal - Won time" AS won_time, "Deal - Lost time" AS lost_time,
    COALESCE("Deal - Deal closed on", "Deal - Closed on") AS close_time,
    "Deal - Expected close date" AS expected_close_date, "Deal - Lost reason" AS lost_reason,
    "Deal - Last stage change" AS stage_change_time, "Deal - Pipeline" AS pipeline
FROM (
    -- a row that stands twice counts once
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM deals ORDER BY _file, _line
)
