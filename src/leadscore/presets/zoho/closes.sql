-- Closes with the amount and the reason that deals have today.
SELECT c.lead_id, c.happened_at, c.outcome AS state, c._file, c._line,
    CASE WHEN c.is_latest THEN d.amount_now END AS amount_now,
    CASE WHEN c.is_latest THEN d."Currency" END AS "Currency",
    CASE WHEN c.is_latest THEN d.reason END AS reason
FROM closings AS c
JOIN deal_rows AS d ON d.lead_id = c.lead_id
