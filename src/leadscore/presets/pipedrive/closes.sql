-- When deals were won or lost: the change of status, else Pipedrive's own stamp.
WITH by_flow AS (
    SELECT t.lead_id, t.happened_at, t.status, t._file, t._line,
        COUNT(*) FILTER (t.status = 'open') OVER (
            PARTITION BY t.lead_id ORDER BY t.place
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) = 0 AS is_last, t.status_before
    FROM turns AS t
),
last_turns AS (
    SELECT lead_id, status FROM turns
    QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY place DESC) = 1
),
closes AS (
    SELECT f.lead_id, f.happened_at, f.status, f._file, f._line, false AS is_by_row
    FROM by_flow AS f
    JOIN deal_rows AS d ON d.lead_id = f.lead_id
    WHERE f.status IN ('won', 'lost')
        AND f.status IS DISTINCT FROM f.status_before
        AND NOT (d.status = 'open' AND f.is_last)
    UNION ALL
    SELECT d.lead_id,
        COALESCE(CASE d.status WHEN 'won' THEN d.won_time ELSE d.lost_time END, d.close_time),
        d.status, d._file, d._line, true
    FROM deal_rows AS d
    LEFT JOIN last_turns AS t ON t.lead_id = d.lead_id
    WHERE d.status IN ('won', 'lost') AND d.status IS DISTINCT FROM t.status
),
latest AS (
    SELECT *, row_number() OVER (
        PARTITION BY lead_id
        ORDER BY is_by_row DESC, TRY_CAST(happened_at AS TIMESTAMP) DESC, _file DESC, _line DESC
    ) = 1 AS is_latest
    FROM closes
)
-- Value and reason of the row are today's, so they belong to the last close.
SELECT c.lead_id, c.happened_at, c.status AS outcome, c._file, c._line,
    CASE WHEN c.is_latest THEN d.amount_now END AS amount,
    CASE WHEN c.is_latest THEN d.currency_now END AS currency,
    CASE WHEN c.is_latest AND c.status = 'lost' THEN d.lost_reason END AS reason
FROM latest AS c
JOIN deal_rows AS d ON d.lead_id = c.lead_id
