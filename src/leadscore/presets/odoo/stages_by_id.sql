-- Stages: their names, and whether they are won. Since Odoo 16 a name is an object, one text a language.
SELECT id AS stage_id,
    COALESCE(
        NULLIF(regexp_extract(name, '"en_US"\s*:\s*"([^"]*)"', 1), ''),
        NULLIF(regexp_extract(name, '^\{"\w+"\s*:\s*"([^"]*)"', 1), ''),
        name
    ) AS name,
    -- older versions have no flag, but a probability
    COALESCE(lower(is_won) IN ('t', 'true', '1'), TRY_CAST(probability AS DOUBLE) >= 100, false)
        AS is_won
FROM crm_stage
QUALIFY row_number() OVER (PARTITION BY id ORDER BY _file, _line) = 1
