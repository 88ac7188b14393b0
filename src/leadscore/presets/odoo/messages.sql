-- The messages of leads and of people.
SELECT id AS message_id, model, message_type, "date" AS happened_at,
    TRY_CAST("date" AS TIMESTAMP) AS moment,
    regexp_replace(res_id, '\.0$', '') AS record,
    regexp_replace(author_id, '\.0$', '') AS author,
    regexp_replace(subtype_id, '\.0$', '') AS subtype,
    regexp_replace(mail_activity_type_id, '\.0$', '') AS activity_type,
    lower(is_internal) IN ('t', 'true', '1') AS is_internal, _file, _line
FROM (
    -- a row that stands twice counts once
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM mail_message ORDER BY _file, _line
)
WHERE model IN ('crm.lead', 'res.partner')
