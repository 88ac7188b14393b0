-- What opportunities were, row by row: Salesforce writes a row when stage, amount, probability or
-- close date change, with the values after it. Ids may have 15 characters or 18.
SELECT o.Id AS lead_id, h.Id AS row_id, h.CreatedDate AS happened_at, h.StageName AS stage,
    h.Amount AS amount, left(h.CloseDate, 10) AS close_date,
    h.ForecastCategory AS forecast_category,
    -- the history mode of connectors has all fields
    h.OwnerId AS owner_id, h.Type AS type, h.LeadSource AS source,
    CASE WHEN h.AccountId LIKE '001%' THEN left(h.AccountId, 15) END AS account,
    COALESCE(
        CASE WHEN lower(h.IsWon) IN ('1', 'true', 't') THEN 'won'
            WHEN lower(h.IsClosed) IN ('1', 'true', 't') THEN 'lost'
            WHEN h.IsClosed IS NOT NULL THEN 'open' END,
        f.state
    ) AS state,
    h._file, h._line,
    -- rows of the same second stand in the order of their ids
    row_number() OVER (
        PARTITION BY o.Id
        ORDER BY TRY_CAST(h.CreatedDate AS TIMESTAMP), h.Id, h._file, h._line
    ) AS place
FROM history AS h
JOIN opportunities AS o ON left(o.Id, 15) = left(h.OpportunityId, 15)
LEFT JOIN stage_flags AS f ON f.stage = h.StageName
WHERE COALESCE(lower(h.IsDeleted), '0') NOT IN ('1', 'true', 't')
