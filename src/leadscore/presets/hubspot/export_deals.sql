-- Deals by the names that the other views use. Times are those of the account's zone.
SELECT *, "Record ID" AS lead_id, "Create Date" AS created, "Object create date/time" AS inserted,
    "Pipeline" AS in_pipeline, "Deal Stage" AS in_stage, "Close Date" AS closed_at,
    "Is Deal Closed?" AS is_closed, "Is Closed Won" AS is_won, "Deal owner" AS owner_now,
    "Amount" AS amount_now, "Currency" AS currency_now, "Closed Won Reason" AS won_reason,
    "Closed Lost Reason" AS lost_reason, "Deal Type" AS type_now, "Priority" AS priority_now,
    "Record source" AS made_by, "Original Traffic Source" AS source_now,
    "Primary Associated Company ID" AS company_now
FROM (
    -- a row that stands twice counts once
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM deal_list ORDER BY _file, _line
)
