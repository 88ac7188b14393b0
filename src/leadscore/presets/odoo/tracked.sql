-- What was changed in leads, in order. A link is kept by its id, 0 for none, and by its label of then;
-- a flag as 0 or 1. What is older than the lead came with another lead that was merged into it.
WITH once AS (
    -- a row that stands twice counts once
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM mail_tracking_value
    ORDER BY _file, _line
),
named AS (
    SELECT t.*, regexp_replace(COALESCE(t.field_id, t.field), '\.0$', '') AS field_key,
        regexp_replace(t.old_value_integer, '\.0$', '') AS old_whole,
        regexp_replace(t.new_value_integer, '\.0$', '') AS new_whole,
        COALESCE(t.old_value_monetary, t.old_value_float) AS old_amount,
        COALESCE(t.new_value_monetary, t.new_value_float) AS new_amount
    FROM once AS t
),
fields AS (SELECT id, MIN(name) AS name FROM ir_model_fields GROUP BY id),
changed AS (
    SELECT l.lead_id, m.happened_at, m.moment, t.*,
        CASE COALESCE(f.name, t.field_key) WHEN 'planned_revenue' THEN 'expected_revenue'
            ELSE COALESCE(f.name, t.field_key) END AS name
    FROM named AS t
    JOIN messages AS m ON m.message_id = t.mail_message_id AND m.model = 'crm.lead'
    JOIN lead_rows AS l ON l.lead_id = m.record
    LEFT JOIN fields AS f ON f.id = t.field_key
    WHERE m.moment >= date_trunc('second', TRY_CAST(l.created AS TIMESTAMP))
)
SELECT lead_id, name AS field, happened_at, moment, _file, _line,
    CASE name WHEN 'expected_revenue' THEN old_amount WHEN 'active' THEN old_whole
        ELSE NULLIF(old_whole, '0') END AS old_value,
    CASE name WHEN 'expected_revenue' THEN new_amount WHEN 'active' THEN new_whole
        ELSE NULLIF(new_whole, '0') END AS new_value,
    old_value_char AS old_label, new_value_char AS new_label,
    row_number() OVER (
        PARTITION BY lead_id, name ORDER BY moment, TRY_CAST(id AS BIGINT), _file, _line
    ) AS place
FROM changed
WHERE name IN ('stage_id', 'active', 'expected_revenue', 'user_id', 'partner_id')
