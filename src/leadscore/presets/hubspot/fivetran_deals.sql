-- Deals by the names that the other views use. `createdate` can be edited, `hs_createdate` cannot:
-- an imported deal was created on the former, and known from the latter.
SELECT *, deal_id AS lead_id, owner_id AS owner_now, property_amount AS amount_now,
    CASE WHEN TRY_CAST(property_hs_createdate AS TIMESTAMP)
            < TRY_CAST(property_createdate AS TIMESTAMP)
        THEN property_hs_createdate
        ELSE COALESCE(property_createdate, property_hs_createdate) END AS created,
    property_hs_createdate AS inserted,
    deal_pipeline_id AS in_pipeline, deal_pipeline_stage_id AS in_stage,
    property_closedate AS closed_at,
    property_hs_is_closed AS is_closed, property_hs_is_closed_won AS is_won,
    property_deal_currency_code AS currency_now,
    property_closed_won_reason AS won_reason, property_closed_lost_reason AS lost_reason,
    property_hs_object_source_label AS made_by,
    property_dealtype AS type_now, property_hs_priority AS priority_now,
    property_hs_analytics_source AS source_now,
    property_hs_primary_associated_company AS company_now,
    COALESCE(lower(COALESCE(is_deleted, _fivetran_deleted)) IN ('true', 't', '1'), false) AS is_gone
FROM (
    -- a row that stands twice counts once
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM deal ORDER BY _file, _line
)
