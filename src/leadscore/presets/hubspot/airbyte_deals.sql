-- Deals by the names that the other views use, each in its latest version. `createdate` can be
-- edited, `hs_createdate` cannot: an imported deal was created on the former, and known from the
-- latter. Old versions of Airbyte write true into every flag; flags that say nothing are not read.
WITH latest AS (
    SELECT * FROM deal_stream
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY updatedAt DESC, _file DESC, _line DESC) = 1
),
flags AS (
    SELECT bool_or(lower(properties_hs_is_closed) IN ('false', 'f', '0')) AS are_true
    FROM latest
)
SELECT d.*, d.id AS lead_id, properties_hubspot_owner_id AS owner_now,
    properties_amount AS amount_now,
    CASE WHEN TRY_CAST(properties_hs_createdate AS TIMESTAMP)
            < TRY_CAST(properties_createdate AS TIMESTAMP)
        THEN properties_hs_createdate
        ELSE COALESCE(properties_createdate, properties_hs_createdate, createdAt) END AS created,
    properties_hs_createdate AS inserted,
    properties_pipeline AS in_pipeline, properties_dealstage AS in_stage,
    properties_closedate AS closed_at,
    CASE WHEN f.are_true THEN properties_hs_is_closed END AS is_closed,
    CASE WHEN f.are_true THEN properties_hs_is_closed_won END AS is_won,
    properties_deal_currency_code AS currency_now,
    properties_closed_won_reason AS won_reason, properties_closed_lost_reason AS lost_reason,
    properties_hs_object_source_label AS made_by,
    properties_dealtype AS type_now, properties_hs_priority AS priority_now,
    properties_hs_analytics_source AS source_now,
    properties_hs_primary_associated_company AS company_now,
    COALESCE(lower(d.archived) IN ('true', 't', '1'), false)
        OR d.id IN (SELECT id FROM deals_archived WHERE id IS NOT NULL) AS is_gone
FROM latest AS d, flags AS f
