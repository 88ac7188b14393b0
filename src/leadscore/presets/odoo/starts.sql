-- What a lead was when it was created: the value before its first change, else today's. A lead that
-- moved or closed without any row is not covered by the history, so nothing is known of its start.
WITH covered AS (
    SELECT * FROM lead_rows AS l
    WHERE EXISTS (SELECT 1 FROM tracked AS t WHERE t.lead_id = l.lead_id)
        OR EXISTS (SELECT 1 FROM tracked)
            AND l.state = 'open'
            -- creation enters the first stage, and may take seconds
            AND COALESCE(
                TRY_CAST(l.date_last_stage_update AS TIMESTAMP)
                    <= TRY_CAST(l.created AS TIMESTAMP) + INTERVAL 1 MINUTE,
                true
            )
),
today AS (
    SELECT lead_id, created, _file, _line, unnest([
        {'field': 'stage_id', 'value': stage_now},
        {'field': 'active', 'value': '1'},
        {'field': 'expected_revenue', 'value': amount_now},
        {'field': 'user_id', 'value': owner_now},
        {'field': 'partner_id', 'value': person}
    ]) AS now
    FROM covered
)
SELECT t.lead_id, t.created AS happened_at, t.now.field AS field, f.old_label AS label,
    CASE WHEN f.lead_id IS NULL THEN t.now.value ELSE f.old_value END AS value, t._file, t._line
FROM today AS t
LEFT JOIN tracked AS f ON f.lead_id = t.lead_id AND f.place = 1 AND f.field = t.now.field
-- older versions keep no history of some fields
WHERE t.now.field IN ('stage_id', 'active') OR t.now.field IN (SELECT field FROM tracked)
