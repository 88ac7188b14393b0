-- Rows of OpportunityHistory have an id of their own; in history mode, `id` is the opportunity's, and a
-- version begins at `_fivetran_start`. In that mode every version has all fields and flags.
SELECT *, opportunity_id IS NULL AS is_version,
    COALESCE(opportunity_id, id) AS OpportunityId,
    CASE WHEN opportunity_id IS NULL THEN _fivetran_start ELSE created_date END AS CreatedDate,
    stage_name AS StageName, close_date AS CloseDate, forecast_category AS ForecastCategory,
    -- a version of a row that was deleted later was there once
    CASE WHEN opportunity_id IS NULL THEN NULL ELSE is_deleted END AS IsDeleted,
    is_closed AS IsClosed, is_won AS IsWon, owner_id AS OwnerId, lead_source AS LeadSource,
    account_id AS AccountId
FROM opportunity_history
