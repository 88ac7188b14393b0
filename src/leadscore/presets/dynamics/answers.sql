-- The answers to BANT that leads have today, by their labels.
WITH labels AS (
    SELECT t.lead_id, t._file, t._line, t.field,
        CASE WHEN o.code IS NULL THEN t.value ELSE o.label END AS label
    FROM today AS t
    LEFT JOIN options AS o ON o.field = t.field AND o.code = lower(t.value)
)
SELECT lead_id, _file, _line,
    MAX(CASE field WHEN 'budgetstatus' THEN label END) AS budgetstatus,
    MAX(CASE field WHEN 'need' THEN label END) AS need,
    MAX(CASE field WHEN 'timeframe' THEN label END) AS timeframe,
    MAX(CASE field WHEN 'decisionmaker' THEN label END) AS decisionmaker
FROM labels
GROUP BY ALL
