-- When opportunities closed: the entry into a closed stage. Where no history shows it, the last
-- change of stage, else the close date.
WITH entries AS (
    SELECT *, LAG(state) OVER (PARTITION BY lead_id ORDER BY place) AS before,
        COUNT(*) FILTER (state = 'open') OVER (
            PARTITION BY lead_id ORDER BY place ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) = 0 AS is_last
    FROM entered
),
by_history AS (
    SELECT e.lead_id,
        -- a history that begins later than the opportunity shows it closed already
        CASE WHEN e.place = 1 AND e.moment > TRY_CAST(s.created AS TIMESTAMP)
                AND TRY_CAST(s.closed_at AS TIMESTAMP) < CASE length(s.closed_at)
                    WHEN 10 THEN date_trunc('day', e.moment)  -- a day says nothing of its hours
                    ELSE e.moment END
                AND TRY_CAST(s.closed_at AS DATE) >= TRY_CAST(s.created AS DATE)
            THEN s.closed_at ELSE e.happened_at END AS happened_at,
        e.state, e._file, e._line
    FROM entries AS e
    JOIN states AS s ON s.lead_id = e.lead_id
    WHERE e.state <> 'open'
        AND e.state IS DISTINCT FROM e.before
        AND NOT (s.state = 'open' AND e.is_last)  -- it is open again, without an entry
),
by_row AS (
    SELECT lead_id, closed_at AS happened_at, state, _file, _line
    FROM states
    WHERE state <> 'open' AND state IS DISTINCT FROM last_state
),
closes AS (
    SELECT *, false AS is_by_row FROM by_history
    UNION ALL
    SELECT *, true FROM by_row
),
latest AS (
    SELECT *, row_number() OVER (
        PARTITION BY lead_id
        ORDER BY is_by_row DESC, TRY_CAST(happened_at AS TIMESTAMP) DESC, _file DESC, _line DESC
    ) = 1 AS is_latest
    FROM closes
)
-- The amount of the row is today's, so it belongs to the last close.
SELECT c.lead_id, c.happened_at, c.state AS outcome, c._file, c._line,
    CASE WHEN c.is_latest THEN o.Amount END AS amount,
    CASE WHEN c.is_latest THEN o.CurrencyIsoCode END AS currency
FROM latest AS c
JOIN opportunities AS o ON o.Id = c.lead_id
