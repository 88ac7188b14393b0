-- Calls: what happened when, by whom, and how long it lasted.
WITH named AS (
    SELECT *, TRY_CAST(TRY_CAST("Call Duration (in seconds)" AS DOUBLE) AS BIGINT) AS seconds,
        lower(COALESCE("Call Status", "Outgoing Call Status")) AS status,
        lower("Call Type") AS type
    FROM calls
),
judged AS (
    SELECT *,
        CASE WHEN status IN ('scheduled', 'overdue') THEN 'planned'
            WHEN status IN ('cancelled', 'canceled') THEN 'cancelled'
            WHEN type = 'missed' OR status = 'missed' OR status LIKE '%unattended%' OR seconds < 10
                THEN 'not_reached'
            WHEN seconds >= 10 THEN 'reached' END AS outcome,
        CASE
            -- a type in another language is not guessed
            WHEN type NOT IN ('outbound', 'inbound', 'missed') THEN type
            WHEN type = 'missed' OR status = 'missed' THEN 'missed_call'
            WHEN status LIKE '%unattended%' OR seconds < 10 THEN 'call_attempt'
            WHEN seconds < 60 THEN 'brief_call'
            WHEN seconds >= 300 THEN 'long_call'
            ELSE 'call' END AS kind
    FROM named
)
SELECT COALESCE("Record Id", "Id", _file || ' ' || _line) AS activity_id,
    regexp_replace("Related To.id", '^zcrm_', '') AS deal,
    regexp_replace(COALESCE(CONTACTID, "Contact Name.id", "Contact Name"), '^zcrm_', '') AS person,
    kind, CASE WHEN type = 'outbound' THEN 'rep' ELSE 'lead' END AS actor, outcome,
    "Call Start Time" AS happened_at, NULLIF(seconds, 0) AS duration_s, is_deleted,
    _file, _line
FROM judged
