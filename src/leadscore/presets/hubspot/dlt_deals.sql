-- Deals by the names that the other views use. `createdate` can be edited, `hs_createdate` cannot:
-- an imported deal was created on the former, and known from the latter.
SELECT *, id AS lead_id, hubspot_owner_id AS owner_now, amount AS amount_now,
    CASE WHEN TRY_CAST(hs_createdate AS TIMESTAMP) < TRY_CAST(createdate AS TIMESTAMP)
        THEN hs_createdate ELSE COALESCE(createdate, hs_createdate) END AS created,
    hs_createdate AS inserted, pipeline AS in_pipeline, dealstage AS in_stage,
    closedate AS closed_at, hs_is_closed AS is_closed, hs_is_closed_won AS is_won,
    deal_currency_code AS currency_now,
    closed_won_reason AS won_reason, closed_lost_reason AS lost_reason,
    hs_object_source_label AS made_by, dealtype AS type_now, hs_priority AS priority_now,
    hs_analytics_source AS source_now, hs_primary_associated_company AS company_now,
    COALESCE(lower(is_deleted) IN ('true', 't', '1'), false) AS is_gone
FROM (
    -- a row that stands twice counts once
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM deal_table ORDER BY _file, _line
)
