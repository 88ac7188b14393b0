-- Activities of all kinds: what happened when, by whom, and how it ended.
WITH timed_calls AS (
    SELECT *, NULLIF(TRY_CAST(milliseconds AS BIGINT), 0) // 1000 AS seconds
    FROM calls
),
ended_calls AS (
    SELECT *, CASE
        WHEN status = 'CANCELED' THEN 'cancelled'
        -- somebody picked up, and that was all
        WHEN seconds < 10 THEN 'not_reached'
        WHEN result = 'f240bbac-87c9-4f6e-bf70-924b57d47db7' THEN 'reached'
        WHEN result IN (
            '73a0d17f-1163-4015-bdd5-ec830791da20',  -- no answer
            '9d9162e7-6cf3-4944-bf63-4dff82258764',  -- busy
            'b2cf5968-551e-4856-9783-52b3da59a7d0',  -- left voicemail
            'a4c4c377-d246-4b32-a13b-75a56a4cd0ff',  -- left a message with somebody else
            '17b47fee-58de-441e-a44c-c6300d46f273'  -- wrong number
        ) THEN 'not_reached'
        WHEN status <> 'COMPLETED' THEN 'not_reached'
        WHEN seconds >= 10 THEN 'reached'
        END AS outcome
    FROM timed_calls
),
engagements AS (
    SELECT engagement_id, CASE outcome WHEN 'not_reached' THEN 'call_attempt' ELSE 'call' END
            AS kind,
        CASE direction WHEN 'INBOUND' THEN 'lead' ELSE 'rep' END AS actor,
        outcome, CAST(NULL AS VARCHAR) AS booked_at, happened_at, seconds AS duration_s,
        deleted, _file, _line
    FROM ended_calls
    UNION ALL
    SELECT engagement_id, CASE result WHEN 'NO_SHOW' THEN 'no_show' ELSE 'meeting' END, 'rep',
        -- a meeting that was held often still says SCHEDULED
        CASE WHEN result = 'COMPLETED' THEN 'reached' WHEN result = 'NO_SHOW' THEN 'not_reached'
            WHEN result IN ('CANCELED', 'CANCELLED', 'RESCHEDULED') THEN 'cancelled' END,
        booked_at, happened_at,
        date_diff('second', TRY_CAST(happened_at AS TIMESTAMP), TRY_CAST(ends AS TIMESTAMP)),
        deleted, _file, _line
    FROM meetings
    UNION ALL
    SELECT engagement_id,
        CASE direction WHEN 'INCOMING_EMAIL' THEN 'email_received'
            WHEN 'FORWARDED_EMAIL' THEN 'email_forwarded' ELSE 'email_sent' END,
        CASE direction WHEN 'INCOMING_EMAIL' THEN 'lead' ELSE 'rep' END,
        CASE WHEN status IN ('BOUNCED', 'FAILED') THEN 'not_reached'
            WHEN status IN ('SCHEDULED', 'DRAFT') THEN 'planned' END,
        NULL, happened_at, NULL, deleted, _file, _line
    FROM emails
    UNION ALL
    SELECT engagement_id, 'task', 'rep',
        CASE WHEN status = 'COMPLETED' THEN NULL ELSE 'planned' END, NULL,
        CASE WHEN status = 'COMPLETED' THEN done_at ELSE due_at END, NULL,
        deleted, _file, _line
    FROM tasks
    UNION ALL
    SELECT engagement_id, kind, actor, NULL, NULL, happened_at, NULL, deleted, _file, _line
    FROM other_engagements
)
SELECT engagement_id, kind, actor, outcome, booked_at, happened_at, duration_s, _file, _line,
    COALESCE(lower(deleted) IN ('true', 't', '1'), false) AS is_deleted
FROM engagements
