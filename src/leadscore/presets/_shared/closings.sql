-- When leads closed: their entries into closed stages, which `entered` has in order. Where it does not
-- end as the lead itself does today (`states`), the date that stands in the lead.
WITH entries AS (
    SELECT *, LAG(state) OVER (PARTITION BY lead_id ORDER BY place) AS before,
        COUNT(*) FILTER (state = 'open') OVER (
            PARTITION BY lead_id ORDER BY place ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) = 0 AS is_last
    FROM entered
),
by_history AS (
    SELECT e.lead_id, e.happened_at, e.state, e._file, e._line
    FROM entries AS e
    JOIN states AS s ON s.lead_id = e.lead_id
    WHERE e.state IN ('won', 'lost')
        AND e.state IS DISTINCT FROM e.before
        AND NOT (s.state = 'open' AND e.is_last)  -- it is open again, without an entry
),
by_row AS (
    SELECT lead_id, closed_at AS happened_at, state, _file, _line
    FROM states
    WHERE state IN ('won', 'lost') AND state IS DISTINCT FROM last_state
),
closings AS (
    SELECT *, false AS is_by_row FROM by_history
    UNION ALL
    SELECT *, true FROM by_row
)
SELECT lead_id, happened_at, state AS outcome, _file, _line,
    -- what the row of a lead says today belongs to its last close
    row_number() OVER (
        PARTITION BY lead_id
        ORDER BY is_by_row DESC, TRY_CAST(happened_at AS TIMESTAMP) DESC, _file DESC, _line DESC
    ) = 1 AS is_latest
FROM closings
