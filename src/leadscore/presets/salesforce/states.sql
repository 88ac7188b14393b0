-- Today's state of every opportunity, by its flags, and the state that its history ends with.
SELECT o.Id AS lead_id, o.CreatedDate AS created, o._file, o._line, h.state AS last_state,
    CASE WHEN lower(o.IsWon) IN ('1', 'true', 't') THEN 'won'
        WHEN lower(o.IsClosed) IN ('1', 'true', 't') THEN 'lost'
        ELSE 'open' END AS state,
    -- the close date is a forecast until the close, and often after it
    COALESCE(o.LastStageChangeDate, left(o.CloseDate, 10)) AS closed_at
FROM (
    -- a row that stands twice counts once
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM opportunities ORDER BY _file, _line
) AS o
LEFT JOIN (
    SELECT * FROM entered
    QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY place DESC) = 1
) AS h ON h.lead_id = o.Id
