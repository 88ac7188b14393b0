-- Tasks and events: what happened when, by whom, and how it ended. Most organisations leave Type
-- empty, so subtype, call fields and the subject decide.
WITH sorted_tasks AS (
    SELECT *, TRY_CAST(CallDurationInSeconds AS BIGINT) AS seconds,
        lower(COALESCE(IsClosed, CASE Status WHEN 'Completed' THEN '1' END, '0')) IN ('1', 'true', 't')
            AS is_done,
        CASE
            WHEN TaskSubtype = 'ListEmail' OR WhatId LIKE '0XB%' THEN 'mass_email'
            WHEN TaskSubtype = 'Email' THEN 'email'
            WHEN TaskSubtype = 'Call' OR CallType IS NOT NULL OR CallDurationInSeconds IS NOT NULL
                OR regexp_matches(
                    COALESCE(Type, Subject, ''),
                    '(?i)^\W*(call|phone|anruf|telefon|appel|llamada|chamada|liga)'
                ) THEN 'call'
            WHEN regexp_matches(COALESCE(Type, Subject, ''), '(?i)^\W*(e-?mail|correo|courriel)')
                THEN 'email'
            ELSE 'task' END AS family
    FROM tasks
),
ended_tasks AS (
    SELECT *, CASE
        WHEN NOT is_done THEN 'planned'
        WHEN family <> 'call' THEN NULL
        WHEN seconds BETWEEN 1 AND 9 THEN 'not_reached'
        WHEN regexp_matches(
            CallDisposition, '(?i)(no answer|not answered|voice ?mail|busy|wrong number|left message)'
        ) THEN 'not_reached'
        WHEN seconds >= 10 THEN 'reached'
        END AS outcome
    FROM sorted_tasks
)
SELECT Id AS activity_id,
    CASE WHEN family = 'call' AND outcome = 'not_reached' THEN 'call_attempt' ELSE family END
        AS kind,
    CASE WHEN family = 'mass_email' THEN 'system' WHEN CallType = 'Inbound' THEN 'lead'
        ELSE 'rep' END AS actor,
    outcome,
    -- ActivityDate is when it was due. Calls and e-mails are logged once they are over.
    CASE WHEN NOT is_done THEN COALESCE(ActivityDate, CreatedDate)
        WHEN family = 'task' THEN COALESCE(CompletedDateTime, LastModifiedDate)
        ELSE COALESCE(CompletedDateTime, CreatedDate) END AS happened_at,
    CAST(NULL AS VARCHAR) AS booked_at,
    NULLIF(seconds, 0) AS duration_s, WhatId AS what_id, WhoId AS who_id, AccountId AS account_id,
    COALESCE(lower(IsDeleted) IN ('1', 'true', 't'), false) AS is_deleted,
    COALESCE(lower(IsRecurrence) IN ('1', 'true', 't'), false) AS is_series,
    false AS is_copy, _file, _line
FROM ended_tasks
UNION ALL
SELECT Id, CASE WHEN Type ILIKE '%call%' THEN 'call' ELSE 'meeting' END, 'rep', NULL,
    COALESCE(StartDateTime, ActivityDateTime, left(ActivityDate, 10)), CreatedDate,
    TRY_CAST(DurationInMinutes AS BIGINT) * 60, WhatId, WhoId, AccountId,
    COALESCE(lower(IsDeleted) IN ('1', 'true', 't'), false),
    COALESCE(lower(IsRecurrence) IN ('1', 'true', 't'), false),
    COALESCE(lower(IsChild) IN ('1', 'true', 't'), false), _file, _line
FROM events
