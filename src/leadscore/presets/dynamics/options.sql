-- What the codes of options mean. The answers to BANT have their standard labels in English, whatever
-- the language, so that they can be ranked; "Unknown" is no answer, and a flag that is 0 by default
-- says nothing. All others are called as in stringmap.
WITH standard AS (
    SELECT * FROM (VALUES
        ('salesstage', '0', 'Qualify', false), ('salesstage', '1', 'Develop', false),
        ('salesstage', '2', 'Propose', false), ('salesstage', '3', 'Close', false),
        ('statuscode', '3', 'Won', false), ('statuscode', '4', 'Canceled', false),
        ('statuscode', '5', 'Out-Sold', false),
        ('budgetstatus', '0', 'No Committed Budget', true), ('budgetstatus', '1', 'May Buy', true),
        ('budgetstatus', '2', 'Can Buy', true), ('budgetstatus', '3', 'Will Buy', true),
        ('need', '0', 'Must have', true), ('need', '1', 'Should have', true),
        ('need', '2', 'Good to have', true), ('need', '3', 'No need', true),
        ('timeframe', '0', 'Immediate', true), ('timeframe', '1', 'This Quarter', true),
        ('timeframe', '2', 'Next Quarter', true), ('timeframe', '3', 'This Year', true),
        ('timeframe', '4', NULL, true), ('timeframe', 'unknown', NULL, true),
        ('timeframe', 'not known', NULL, true),
        ('decisionmaker', '1', 'confirmed', true), ('decisionmaker', 'true', 'confirmed', true),
        ('decisionmaker', 't', 'confirmed', true), ('decisionmaker', 'f', NULL, true),
        ('decisionmaker', '0', NULL, true), ('decisionmaker', 'false', NULL, true)
    ) AS v(field, code, label, is_fixed)
),
own AS (
    SELECT CASE lower(attributename) WHEN 'purchasetimeframe' THEN 'timeframe'
            ELSE lower(attributename) END AS field,
        attributevalue AS code, value AS label
    FROM stringmap
    WHERE lower(objecttypecode) IN ('opportunity', '3')
        AND COALESCE(lower(_fivetran_deleted), 'false') NOT IN ('true', 't', '1')
    -- one text a language; 1033 is English
    QUALIFY row_number() OVER (
        PARTITION BY field, attributevalue
        ORDER BY COALESCE(langid, '') <> '1033', langid, _file, _line
    ) = 1
)
SELECT COALESCE(s.field, o.field) AS field, COALESCE(s.code, o.code) AS code,
    CASE WHEN s.is_fixed THEN s.label ELSE COALESCE(o.label, s.label) END AS label
FROM standard AS s
FULL JOIN own AS o ON o.field = s.field AND o.code = s.code
