-- Leads by the names that the views of opportunities use. IsConverted alone says won: the names of
-- states often say "converted" of leads that are not. The day of the conversion has no time.
SELECT l.*, l.Status AS StageName, l.IsConverted AS IsWon,
    CASE WHEN lower(l.IsConverted) IN ('1', 'true', 't') OR s.status IS NOT NULL THEN 'true'
        ELSE 'false' END AS IsClosed,
    CASE WHEN lower(l.IsConverted) IN ('1', 'true', 't') THEN left(l.ConvertedDate, 10) END
        AS LastStageChangeDate,
    CAST(NULL AS VARCHAR) AS CloseDate, CAST(NULL AS VARCHAR) AS Amount,
    CAST(NULL AS VARCHAR) AS Type, CAST(NULL AS VARCHAR) AS AccountId
FROM lead_list AS l
LEFT JOIN lost_statuses AS s ON s.status = l.Status
