-- Which stages are won, lost or open. Names are free text in every organisation, so flags decide:
-- those of the list of stages, else those of opportunities that are in the stage today.
WITH listed AS (
    SELECT unnest([MasterLabel, ApiName]) AS stage,
        lower(IsWon) IN ('1', 'true', 't') AS won, lower(IsClosed) IN ('1', 'true', 't') AS closed
    FROM stage_list
),
today AS (
    SELECT StageName AS stage, bool_or(lower(IsWon) IN ('1', 'true', 't')) AS won,
        bool_or(lower(IsClosed) IN ('1', 'true', 't')) AS closed
    FROM opportunities
    GROUP BY StageName
),
past AS (
    SELECT StageName AS stage, bool_or(ForecastCategory = 'Closed') AS won, NULL AS closed
    FROM history
    GROUP BY StageName
),
flags AS (
    SELECT stage, won, closed, 0 AS rank FROM listed
    UNION ALL
    SELECT stage, won, closed, 1 FROM today
    UNION ALL
    SELECT stage, won, closed, 2 FROM past
)
SELECT stage,
    CASE WHEN won THEN 'won' WHEN closed OR stage = 'Closed Lost' THEN 'lost' ELSE 'open' END
        AS state
FROM flags
WHERE stage IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY stage ORDER BY rank, won DESC, closed DESC) = 1
