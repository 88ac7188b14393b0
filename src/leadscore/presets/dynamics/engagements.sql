-- Activities: what happened when, and how it ended. Their types may be codes. Due is not done: all
-- but appointments happened when they actually ended.
WITH directions AS (
    SELECT lower(trim(activityid, '{}')) AS activity_id,
        lower(directioncode) IN ('false', 'f', '0', 'incoming') AS is_incoming,
        lower(leftvoicemail) IN ('true', 't', '1') AS is_attempt
    FROM phonecall
    UNION ALL
    SELECT lower(trim(activityid, '{}')), lower(directioncode) IN ('false', 'f', '0', 'incoming'), false
    FROM email
),
known AS (
    SELECT activity_id, bool_or(is_incoming) AS is_incoming, bool_or(is_attempt) AS is_attempt
    FROM directions
    GROUP BY activity_id
),
typed AS (
    SELECT *, lower(trim(activityid, '{}')) AS activity_id,
        CASE regexp_replace(activitytypecode, '\.0$', '')
            WHEN '4201' THEN 'appointment' WHEN '4202' THEN 'email' WHEN '4204' THEN 'fax'
            WHEN '4207' THEN 'letter' WHEN '4208' THEN 'opportunityclose'
            WHEN '4210' THEN 'phonecall' WHEN '4212' THEN 'task'
            ELSE replace(lower(activitytypecode), ' ', '') END AS type,
        lower(regexp_replace(statecode, '\.0$', '')) AS state
    FROM activitypointer
)
SELECT t.activity_id,
    CASE t.type WHEN 'appointment' THEN t.createdon END AS booked_at,
    lower(trim(COALESCE(regardingobjectid, _regardingobjectid_value), '{}')) AS about,
    CASE WHEN t.type = 'phonecall' AND k.is_attempt THEN 'call_attempt' ELSE t.type END AS kind,
    CASE WHEN k.is_incoming THEN 'lead' ELSE 'rep' END AS actor,
    CASE WHEN t.state IN ('1', 'completed')
            THEN CASE WHEN t.type = 'phonecall' AND k.is_attempt THEN 'not_reached' END
        WHEN t.state IN ('2', 'canceled', 'cancelled') THEN 'cancelled'
        ELSE 'planned' END AS outcome,
    -- an appointment takes place when it was made for
    CASE WHEN t.type = 'appointment' THEN COALESCE(t.scheduledend, t.actualend, t.createdon)
        WHEN t.state IN ('1', 'completed') THEN COALESCE(t.actualend, t.createdon)
        ELSE COALESCE(t.scheduledend, t.createdon) END AS happened_at,
    NULLIF(CAST(TRY_CAST(t.actualdurationminutes AS DOUBLE) * 60 AS BIGINT), 0) AS duration_s,
    COALESCE(lower(COALESCE(_fivetran_deleted, IsDelete)) IN ('true', 't', '1'), false) AS is_deleted,
    t._file, t._line
FROM typed AS t
LEFT JOIN known AS k ON k.activity_id = t.activity_id
