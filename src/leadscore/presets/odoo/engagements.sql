-- Messages and meetings: what happened when, and by whom. An activity that was planned leaves a message
-- when it is done. Who has a user, and no mere portal user, is one of our own people.
WITH colleagues AS (
    SELECT regexp_replace(partner_id, '\.0$', '') AS person, bool_or(id = '1') AS is_robot
    FROM res_users
    WHERE COALESCE(lower(share) NOT IN ('t', 'true', '1'), true)
    GROUP BY ALL
),
activity_types AS (
    SELECT id, MIN(CASE
        WHEN category = 'phonecall' OR regexp_matches(name, '(?i)\b(phone|call)') THEN 'call'
        WHEN category = 'meeting' OR name ILIKE '%meeting%' THEN 'meeting'
        WHEN category LIKE 'upload%' THEN 'document'
        WHEN regexp_matches(name, '(?i)\be-?mail') THEN 'email'
        ELSE 'task' END) AS kind
    FROM mail_activity_type
    GROUP BY id
),
notes AS (
    SELECT id, bool_or(lower(internal) IN ('t', 'true', '1')) AS is_note
    FROM mail_message_subtype
    GROUP BY id
),
judged AS (
    SELECT m.*, m.activity_type IS NOT NULL AS was_planned,
        CASE
            WHEN m.activity_type IS NOT NULL THEN COALESCE(y.kind, 'task')
            WHEN m.message_type IN ('email', 'email_outgoing') THEN 'email'
            WHEN m.message_type = 'comment'
                THEN CASE WHEN m.is_internal OR n.is_note THEN 'note' ELSE 'email' END
            WHEN m.message_type IN (
                'notification', 'user_notification', 'auto_comment', 'out_of_office'
            ) THEN 'automatic'
            ELSE m.message_type END AS kind,
        CASE
            WHEN c.is_robot THEN 'system'
            WHEN c.person IS NOT NULL OR m.activity_type IS NOT NULL
                OR m.message_type = 'email_outgoing' THEN 'rep'
            WHEN EXISTS (SELECT 1 FROM colleagues) OR m.message_type = 'email' THEN 'lead'
            ELSE 'rep' END AS actor
    FROM messages AS m
    LEFT JOIN colleagues AS c ON c.person = m.author
    LEFT JOIN activity_types AS y ON y.id = m.activity_type
    LEFT JOIN notes AS n ON n.id = m.subtype
),
meetings AS (
    SELECT *, regexp_replace(opportunity_id, '\.0$', '') AS record FROM calendar_event
)
SELECT 'message ' || j.message_id AS activity_id, j.model, j.record, j.kind, j.actor, j.happened_at,
    CAST(NULL AS VARCHAR) AS booked_at, CAST(NULL AS BIGINT) AS duration_s,
    CAST(NULL AS VARCHAR) AS outcome,
    j.kind = 'meeting' AND EXISTS (
        SELECT 1 FROM meetings AS e
        WHERE e.record = j.record AND j.model = 'crm.lead'
            AND TRY_CAST(e.start AS DATE) = CAST(j.moment AS DATE)
    ) AS is_copy,
    j._file, j._line
FROM judged AS j
UNION ALL
SELECT 'meeting ' || id, 'crm.lead', record, 'meeting', 'rep', start, create_date,
    NULLIF(CAST(round(TRY_CAST(duration AS DOUBLE) * 3600) AS BIGINT), 0),
    CASE WHEN lower(active) IN ('f', 'false', '0') THEN 'cancelled' END, false, _file, _line
FROM meetings
WHERE record IS NOT NULL
