-- The history of fields with their labels. The value before the first change counts from creation, but
-- never from before the first change of that field in the file: the audit may have begun later.
WITH since AS (
    SELECT field, arg_min(happened_at, moment) AS audited_since, MIN(moment) AS since_moment
    FROM changed
    GROUP BY field
),
starts AS (
    SELECT t.lead_id, t.field, t._file, t._line,
        CASE WHEN c.lead_id IS NULL THEN t.value ELSE c.old_value END AS value,
        CASE WHEN TRY_CAST(t.created AS TIMESTAMP) >= s.since_moment THEN t.created
            ELSE s.audited_since END AS happened_at
    FROM today AS t
    JOIN since AS s ON s.field = t.field
    LEFT JOIN changed AS c ON c.lead_id = t.lead_id AND c.field = t.field AND c.place = 1
    -- what closed without a change since then may have closed before
    WHERE c.lead_id IS NOT NULL OR t.state = 'open'
        OR TRY_CAST(t.created AS TIMESTAMP) >= s.since_moment
),
known AS (
    SELECT lead_id, field, happened_at, value, 0 AS place, _file, _line FROM starts
    UNION ALL
    SELECT lead_id, field, happened_at, new_value, place, _file, _line FROM changed
)
SELECT k.lead_id, k.field, k.happened_at, TRY_CAST(k.happened_at AS TIMESTAMP) AS moment, k.place,
    CASE WHEN o.code IS NULL THEN k.value ELSE o.label END AS value, k._file, k._line
FROM known AS k
LEFT JOIN options AS o
    ON o.field = CASE k.field WHEN 'stage' THEN 'salesstage' ELSE k.field END
    AND o.code = lower(k.value)
