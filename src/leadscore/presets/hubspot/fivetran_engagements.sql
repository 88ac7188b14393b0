-- Activities of all kinds: what happened when, by whom, and how it ended. Columns without
-- "property_" are those of older connectors.
WITH calls AS (
    SELECT engagement_id, _fivetran_deleted, _file, _line,
        COALESCE(property_hs_timestamp, property_hs_createdate) AS happened_at,
        NULLIF(TRY_CAST(COALESCE(property_hs_call_duration, duration_milliseconds) AS BIGINT), 0)
            // 1000 AS seconds,
        COALESCE(property_hs_call_disposition, disposition) AS result,
        upper(COALESCE(property_hs_call_status, status)) AS status,
        upper(COALESCE(property_hs_call_direction, direction)) AS direction
    FROM engagement_call
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
    FROM calls
),
meetings AS (
    SELECT engagement_id, _fivetran_deleted, _file, _line,
        COALESCE(property_hs_meeting_start_time, start_time, property_hs_timestamp) AS happened_at,
        property_hs_createdate AS booked_at,
        COALESCE(property_hs_meeting_end_time, end_time) AS ends,
        upper(COALESCE(property_hs_meeting_outcome, meeting_outcome)) AS result
    FROM engagement_meeting
),
emails AS (
    SELECT m.engagement_id, m._fivetran_deleted, m._file, m._line,
        COALESCE(m.property_hs_timestamp, m.property_hs_createdate) AS happened_at,
        upper(COALESCE(m.property_hs_email_direction, e.type, m.type)) AS direction,
        upper(m.property_hs_email_status) AS status
    FROM engagement_email AS m
    LEFT JOIN engagement AS e ON e.id = m.engagement_id
),
tasks AS (
    SELECT engagement_id, _fivetran_deleted, _file, _line,
        upper(COALESCE(property_hs_task_status, status)) = 'COMPLETED' AS is_done,
        -- its timestamp is the date when it is due
        COALESCE(
            property_hs_task_completion_date, completion_date, property_hs_lastmodifieddate
        ) AS done_at,
        property_hs_timestamp AS due_at
    FROM engagement_task
),
engagements AS (
    SELECT engagement_id, CASE outcome WHEN 'not_reached' THEN 'call_attempt' ELSE 'call' END
            AS kind,
        CASE direction WHEN 'INBOUND' THEN 'lead' ELSE 'rep' END AS actor,
        outcome, CAST(NULL AS VARCHAR) AS booked_at, happened_at, seconds AS duration_s,
        _fivetran_deleted, _file, _line
    FROM ended_calls
    UNION ALL
    SELECT engagement_id, CASE result WHEN 'NO_SHOW' THEN 'no_show' ELSE 'meeting' END, 'rep',
        -- a meeting that was held often still says SCHEDULED
        CASE WHEN result = 'COMPLETED' THEN 'reached' WHEN result = 'NO_SHOW' THEN 'not_reached'
            WHEN result IN ('CANCELED', 'CANCELLED', 'RESCHEDULED') THEN 'cancelled' END,
        booked_at, happened_at,
        date_diff('second', TRY_CAST(happened_at AS TIMESTAMP), TRY_CAST(ends AS TIMESTAMP)),
        _fivetran_deleted, _file, _line
    FROM meetings
    UNION ALL
    SELECT engagement_id,
        CASE direction WHEN 'INCOMING_EMAIL' THEN 'email_received'
            WHEN 'FORWARDED_EMAIL' THEN 'email_forwarded' ELSE 'email_sent' END,
        CASE direction WHEN 'INCOMING_EMAIL' THEN 'lead' ELSE 'rep' END,
        CASE WHEN status IN ('BOUNCED', 'FAILED') THEN 'not_reached'
            WHEN status IN ('SCHEDULED', 'DRAFT') THEN 'planned' END,
        NULL, happened_at, NULL, _fivetran_deleted, _file, _line
    FROM emails
    UNION ALL
    SELECT engagement_id, 'task', 'rep', CASE WHEN is_done THEN NULL ELSE 'planned' END, NULL,
        CASE WHEN is_done THEN done_at ELSE due_at END, NULL, _fivetran_deleted, _file, _line
    FROM tasks
    UNION ALL
    SELECT engagement_id, 'note', 'rep', NULL, NULL,
        COALESCE(property_hs_timestamp, property_hs_createdate), NULL,
        _fivetran_deleted, _file, _line
    FROM engagement_note
    UNION ALL
    SELECT engagement_id, 'message', 'rep', NULL, NULL,
        COALESCE(property_hs_timestamp, property_hs_createdate), NULL,
        _fivetran_deleted, _file, _line
    FROM engagement_communication
    UNION ALL
    SELECT 'form ' || conversion_id || ' of ' || contact_id, 'form', 'lead', NULL, NULL, timestamp,
        NULL, NULL, _file, _line
    FROM contact_form_submission
)
SELECT engagement_id, kind, actor, outcome, booked_at, happened_at, duration_s, _file, _line,
    COALESCE(lower(_fivetran_deleted) IN ('true', '1'), false) AS is_deleted
FROM engagements
