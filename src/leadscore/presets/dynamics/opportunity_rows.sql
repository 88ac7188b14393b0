-- Opportunities by one spelling of ids and columns: a GUID may stand in braces and in capitals, and the
-- Web API calls links _ownerid_value. Of a migrated row, one of the two times of creation is that
-- of the migration. A row that stands twice counts once, and of several versions the latest.
WITH once AS (
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM opportunity ORDER BY _file, _line
)
SELECT lower(trim(opportunityid, '{}')) AS lead_id,
    CASE WHEN TRY_CAST(overriddencreatedon AS TIMESTAMP) < TRY_CAST(createdon AS TIMESTAMP)
        THEN overriddencreatedon ELSE createdon END AS created,
    CASE WHEN TRY_CAST(overriddencreatedon AS TIMESTAMP) > TRY_CAST(createdon AS TIMESTAMP)
        THEN overriddencreatedon ELSE createdon END AS inserted,
    CASE WHEN statecode IN ('0', '0.0') THEN 'open' WHEN statecode IN ('1', '1.0') THEN 'won'
        WHEN statecode IN ('2', '2.0') THEN 'lost' ELSE lower(statecode) END AS state,
    regexp_replace(statuscode, '\.0$', '') AS statuscode,
    left(actualclosedate, 10) AS closed_on, actualvalue, stepname,
    lower(trim(COALESCE(ownerid, _ownerid_value), '{}')) AS ownerid, estimatedvalue,
    left(estimatedclosedate, 10) AS estimatedclosedate,
    regexp_replace(salesstage, '\.0$', '') AS salesstage,
    regexp_replace(budgetstatus, '\.0$', '') AS budgetstatus,
    regexp_replace(need, '\.0$', '') AS need,
    -- two fields ask for the same; the second only counts where nobody uses the first
    regexp_replace(
        CASE WHEN COUNT(purchasetimeframe) OVER () > 0 THEN purchasetimeframe ELSE timeline END,
        '\.0$', ''
    ) AS timeframe,
    lower(regexp_replace(decisionmaker, '\.0$', '')) AS decisionmaker,
    lower(trim(COALESCE(transactioncurrencyid, _transactioncurrencyid_value), '{}')) AS currency_key,
    lower(trim(COALESCE(parentcontactid, _parentcontactid_value), '{}')) AS contact,
    lower(trim(COALESCE(customerid, _customerid_value), '{}')) AS customer,
    lower(trim(COALESCE(parentaccountid, _parentaccountid_value), '{}')) AS account,
    lower(trim(COALESCE(originatingleadid, _originatingleadid_value), '{}')) AS lead_before,
    COALESCE(lower(COALESCE(_fivetran_deleted, IsDelete)) IN ('true', 't', '1'), false) AS is_gone,
    _file, _line
FROM once
QUALIFY lead_id IS NULL
    OR rank() OVER (PARTITION BY lead_id ORDER BY modifiedon DESC NULLS LAST) = 1
