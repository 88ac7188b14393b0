-- When deals closed: the entry into a closed stage. Where the history does not show it, the close
-- date, which HubSpot sets at the move to a closed stage, though people can edit it.
WITH entries AS (
    SELECT e.*, LAG(state) OVER by_deal AS before,
        -- closes after which no open stage was entered
        COUNT(*) FILTER (state = 'open') OVER (
            PARTITION BY deal_id ORDER BY place ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) = 0 AS is_last
    FROM entered AS e
    WINDOW by_deal AS (PARTITION BY deal_id ORDER BY place)
),
by_history AS (
    SELECT e.deal_id, e.happened_at, e.state, e._file, e._line
    FROM entries AS e
    JOIN deal_states AS d USING (deal_id)
    WHERE e.state <> 'open'
        AND e.state IS DISTINCT FROM e.before
        AND NOT (d.state = 'open' AND e.is_last)  -- the deal is open again, without an entry
),
by_date AS (
    SELECT deal_id, closed_at AS happened_at, state, _file, _line
    FROM deal_states
    WHERE state <> 'open' AND state IS DISTINCT FROM last_state
),
closes AS (
    SELECT *, false AS is_by_date FROM by_history
    UNION ALL
    SELECT *, true FROM by_date
),
latest AS (
    SELECT *, row_number() OVER (
        PARTITION BY deal_id
        ORDER BY is_by_date DESC, TRY_CAST(happened_at AS TIMESTAMP) DESC, _file DESC, _line DESC
    ) = 1 AS is_latest
    FROM closes
)
-- Amount and reason of the row are today's, so they belong to the last close.
SELECT c.deal_id, c.happened_at, c.state AS outcome, c._file, c._line,
    CASE WHEN c.is_latest THEN d.amount_now END AS amount,
    CASE WHEN c.is_latest THEN d.currency_now END AS currency,
    CASE WHEN c.is_latest AND c.state = 'won' THEN d.won_reason
        WHEN c.is_latest THEN d.lost_reason END AS reason
FROM latest AS c
JOIN deal_rows AS d ON d.lead_id = c.deal_id
