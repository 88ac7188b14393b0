-- What fields of a lead became, and when.
WITH logged AS (
    SELECT lead_id, happened_at, field, value, 0 AS place, _file, _line FROM starts
    UNION ALL
    SELECT lead_id, happened_at, field, new_value, place, _file, _line FROM tracked
),
known AS (
    SELECT * FROM logged
    UNION ALL
    SELECT k.lead_id, k.happened_at, 'account', COALESCE(p.company, k.value), k.place, k._file, k._line
    FROM logged AS k
    LEFT JOIN partners AS p ON p.person = k.value
    WHERE k.field = 'partner_id'
    UNION ALL
    SELECT lead_id, created, 'type', CASE WHEN date_conversion IS NULL THEN type ELSE 'lead' END,
        0, _file, _line
    FROM lead_rows
    UNION ALL
    SELECT lead_id, date_conversion, 'type', 'opportunity', 1, _file, _line FROM lead_rows
    WHERE date_conversion IS NOT NULL
)
SELECT lead_id, happened_at, place, _file, _line, value,
    CASE field WHEN 'expected_revenue' THEN 'amount' WHEN 'user_id' THEN 'owner_id'
        WHEN 'partner_id' THEN 'contact' ELSE field END
        AS field
FROM known
WHERE field IN ('expected_revenue', 'user_id', 'type', 'partner_id', 'account')
    AND (place > 0 OR value IS NOT NULL)
