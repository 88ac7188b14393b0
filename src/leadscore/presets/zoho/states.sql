-- Today's state of every deal, and the state that its history ends with.
SELECT d.lead_id, d.state, d."Closing Date" AS closed_at, d._file, d._line, h.state AS last_state
FROM deal_rows AS d
LEFT JOIN (
    SELECT * FROM entered
    QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY place DESC) = 1
) AS h ON h.lead_id = d.lead_id
