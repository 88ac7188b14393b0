-- Activities of all kinds: what happened when, by whom, and how it ended.
WITH calls AS (
    SELECT *, lower("Call outcome") AS result, upper("Call status") AS status,
        -- in milliseconds, or as 0:05:10
        NULLIF(COALESCE(
            TRY_CAST("Call duration" AS BIGINT) // 1000,
            CAST(epoch(TRY_CAST("Call duration" AS INTERVAL)) AS BIGINT)
        ), 0) AS seconds
    FROM call_list
),
ended_calls AS (
    SELECT *, CASE
        WHEN status = 'CANCELED' THEN 'cancelled'
        WHEN seconds < 10 THEN 'not_reached'
        WHEN result = 'connected' THEN 'reached'
        WHEN result IN (
            'no answer', 'busy', 'left voicemail', 'left live message', 'wrong number'
        ) THEN 'not_reached'
        WHEN status <> 'COMPLETED' THEN 'not_reached'
        WHEN seconds >= 10 THEN 'reached'
        END AS outcome
    FROM calls
),
engagements AS (
    SELECT 'call ' || "Record ID" AS engagement_id,
        CASE outcome WHEN 'not_reached' THEN 'call_attempt' ELSE 'call' END AS kind,
        CASE upper("Call direction") WHEN 'INBOUND' THEN 'lead' ELSE 'rep' END AS actor,
        outcome, CAST(NULL AS VARCHAR) AS booked_at, "Activity date" AS happened_at, seconds AS duration_s,
        "Associated Deal IDs" AS deal_ids, "Associated Contact IDs" AS contact_ids, _file, _line
    FROM ended_calls
    UNION ALL
    SELECT 'meeting ' || "Record ID",
        CASE upper(replace("Meeting outcome", ' ', '_')) WHEN 'NO_SHOW' THEN 'no_show'
            ELSE 'meeting' END,
        'rep',
        CASE upper(replace("Meeting outcome", ' ', '_')) WHEN 'COMPLETED' THEN 'reached'
            WHEN 'NO_SHOW' THEN 'not_reached' WHEN 'CANCELED' THEN 'cancelled'
            WHEN 'CANCELLED' THEN 'cancelled' WHEN 'RESCHEDULED' THEN 'cancelled' END,
        "Object create date/time", COALESCE("Start Time", "Activity date"),
        date_diff('second', TRY_CAST("Start Time" AS TIMESTAMP), TRY_CAST("End Time" AS TIMESTAMP)),
        "Associated Deal IDs", "Associated Contact IDs", _file, _line
    FROM meeting_list
    UNION ALL
    SELECT 'email ' || "Record ID",
        CASE WHEN "Email direction" ILIKE 'incoming%' THEN 'email_received'
            WHEN "Email direction" ILIKE 'forwarded%' THEN 'email_forwarded'
            ELSE 'email_sent' END,
        CASE WHEN "Email direction" ILIKE 'incoming%' THEN 'lead' ELSE 'rep' END,
        CASE WHEN upper("Email send status") IN ('BOUNCED', 'FAILED') THEN 'not_reached'
            WHEN upper("Email send status") = 'SCHEDULED' THEN 'planned' END,
        NULL, "Activity date", NULL, "Associated Deal IDs", "Associated Contact IDs", _file, _line
    FROM email_list
    UNION ALL
    SELECT 'note ' || "Record ID", 'note', 'rep', NULL, NULL, "Activity date", NULL,
        "Associated Deal IDs", "Associated Contact IDs", _file, _line
    FROM note_list
    UNION ALL
    SELECT 'task ' || "Record ID", 'task', 'rep',
        CASE WHEN "Task Status" ILIKE 'completed' THEN NULL ELSE 'planned' END, NULL,
        COALESCE("Completed at", "Due date"), NULL,
        "Associated Deal IDs", "Associated Contact IDs", _file, _line
    FROM task_list
)
SELECT *, false AS is_deleted FROM engagements
