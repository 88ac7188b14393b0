-- What a deal was when it was created: the value before its first change, else today's. A deal that
-- moved or closed without any row is not covered by the changes, so nothing is known of its start.
WITH covered AS (
    SELECT * FROM deal_rows AS d
    WHERE EXISTS (SELECT 1 FROM flow_rows AS f WHERE f.lead_id = d.lead_id)
        OR EXISTS (SELECT 1 FROM flow_rows)
            AND d.status = 'open'
            AND (d.stage_change_time IS NULL OR d.stage_change_time = d.created)
),
today AS (
    SELECT lead_id, created, _file, _line, unnest([
        {'field': 'stage_id', 'value': stage_now},
        {'field': 'status', 'value': 'open'},
        {'field': 'value', 'value': amount_now},
        {'field': 'user_id', 'value': owner_now},
        {'field': 'expected_close_date', 'value': expected_close_date},
        {'field': 'org_id', 'value': organisation},
        {'field': 'person_id', 'value': person}
    ]) AS now
    FROM covered
)
SELECT t.lead_id, t.created AS happened_at, t.now.field AS field,
    CASE WHEN f.lead_id IS NULL THEN t.now.value ELSE f.old_value END AS value, t._file, t._line
FROM today AS t
LEFT JOIN flow_rows AS f
    ON f.lead_id = t.lead_id AND f.place = 1
    AND (f.field = t.now.field OR f.field = 'owner_id' AND t.now.field = 'user_id')
-- whether changes of these two are there shows only where there is one
WHERE (
        t.now.field NOT IN ('org_id', 'person_id')
        OR t.now.field IN (SELECT field FROM flow_rows)
    )
    -- where changes do not give the value before, only what never changed would have a start
    AND (
        t.now.field = 'status'
        OR EXISTS (
            SELECT 1 FROM flow_rows
            WHERE field <> 'status' AND place = 1 AND old_value IS NOT NULL
        )
    )
