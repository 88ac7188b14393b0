-- What was changed in opportunities, in order. The audit keeps the value before a change; the one after
-- it is the value before the next change, or today's.
WITH once AS (
    -- a row that stands twice counts once
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM audit ORDER BY _file, _line
),
in_use AS (
    SELECT COUNT(stepname) > 0 AS has_steps, COUNT(purchasetimeframe) > 0 AS has_timeframe
    FROM opportunity
),
rows_of_fields AS (
    SELECT lower(trim(a.objectid, '{}')) AS lead_id, a.createdon AS happened_at,
        TRY_CAST(a.createdon AS TIMESTAMP) AS moment,
        CASE lower(a.fieldname)
            WHEN 'statecode' THEN 'state'
            WHEN 'stepname' THEN CASE WHEN u.has_steps THEN 'stage' END
            WHEN 'salesstage' THEN CASE WHEN NOT u.has_steps THEN 'stage' END
            WHEN 'purchasetimeframe' THEN CASE WHEN u.has_timeframe THEN 'timeframe' END
            WHEN 'timeline' THEN CASE WHEN NOT u.has_timeframe THEN 'timeframe' END
            ELSE lower(a.fieldname) END AS field,
        a.oldvalue, a._file, a._line
    FROM once AS a, in_use AS u
),
before AS (
    SELECT lead_id, happened_at, moment, field, _file, _line,
        CASE field
            WHEN 'state' THEN CASE lower(regexp_replace(oldvalue, '\.0$', ''))
                WHEN '0' THEN 'open' WHEN '1' THEN 'won' WHEN '2' THEN 'lost'
                ELSE lower(oldvalue) END
            -- a link may stand with its table: systemuser,1b2c...
            WHEN 'ownerid' THEN lower(trim(regexp_replace(oldvalue, '^\w+,', ''), '{}'))
            WHEN 'parentaccountid' THEN lower(trim(regexp_replace(oldvalue, '^\w+,', ''), '{}'))
            WHEN 'parentcontactid' THEN lower(trim(regexp_replace(oldvalue, '^\w+,', ''), '{}'))
            WHEN 'estimatedclosedate' THEN left(oldvalue, 10)
            WHEN 'estimatedvalue' THEN oldvalue
            WHEN 'decisionmaker' THEN lower(oldvalue)
            ELSE regexp_replace(oldvalue, '\.0$', '') END AS old_value,
        row_number() OVER (PARTITION BY lead_id, field ORDER BY moment, _file, _line) AS place
    FROM rows_of_fields
    WHERE moment IS NOT NULL
)
SELECT b.*,
    CASE WHEN LEAD(b.place) OVER by_field IS NULL THEN t.value
        ELSE LEAD(b.old_value) OVER by_field END AS new_value
FROM before AS b
JOIN today AS t ON t.lead_id = b.lead_id AND t.field = b.field
WINDOW by_field AS (PARTITION BY b.lead_id, b.field ORDER BY b.place)
