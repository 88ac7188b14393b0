-- When leads were won or lost: the entry into a won stage, or the moment of archiving; else Odoo's own
-- stamp, which it sets anew when a won lead is archived.
WITH by_history AS (
    SELECT lead_id, happened_at, status, status_before, _file, _line,
        COUNT(*) FILTER (status = 'open') OVER (
            PARTITION BY lead_id ORDER BY place ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) = 0 AS is_last
    FROM turns
),
last_turns AS (
    SELECT lead_id, status FROM turns
    QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY place DESC) = 1
),
closes AS (
    SELECT h.lead_id, h.happened_at, h.status, h._file, h._line, false AS is_by_row
    FROM by_history AS h
    JOIN lead_rows AS l ON l.lead_id = h.lead_id
    WHERE h.status IN ('won', 'lost')
        AND h.status IS DISTINCT FROM h.status_before
        AND NOT (l.state IN ('open', 'archived') AND h.is_last)
    UNION ALL
    SELECT l.lead_id, l.date_closed, l.state, l._file, l._line, true
    FROM lead_rows AS l
    LEFT JOIN last_turns AS t ON t.lead_id = l.lead_id
    WHERE l.state IN ('won', 'lost') AND l.state IS DISTINCT FROM t.status
),
latest AS (
    SELECT *, row_number() OVER (
        PARTITION BY lead_id
        ORDER BY is_by_row DESC, TRY_CAST(happened_at AS TIMESTAMP) DESC, _file DESC, _line DESC
    ) = 1 AS is_latest
    FROM closes
)
-- Revenue and reason of the row are today's, so they belong to the last close.
SELECT c.lead_id, c.happened_at, c.status AS outcome, c._file, c._line,
    CASE WHEN c.is_latest THEN l.amount_now END AS amount,
    CASE WHEN c.is_latest THEN l.currency_now END AS currency,
    CASE WHEN c.is_latest AND c.status = 'lost' THEN l.reason_now END AS reason
FROM latest AS c
JOIN lead_rows AS l ON l.lead_id = c.lead_id
