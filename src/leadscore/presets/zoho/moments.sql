-- What the texts of times mean, as far as views must know. They follow the format of the user who
-- exports; whether the day or the month comes first shows in a number above 12.
WITH texts AS (
    SELECT "Created Time" AS text FROM deals
    UNION
    SELECT "Closing Date" FROM deals
    UNION
    SELECT "Call Start Time" FROM calls
    UNION
    SELECT happened_at FROM stage_history
),
slashed AS (
    SELECT text, replace(replace(text, '.', '/'), '-', '/') AS plain,
        TRY_CAST(regexp_extract(text, '^(\d{1,2})[./-](\d{1,2})[./-]\d{4}', 1) AS INTEGER) AS one,
        TRY_CAST(regexp_extract(text, '^(\d{1,2})[./-](\d{1,2})[./-]\d{4}', 2) AS INTEGER) AS two
    FROM texts
    WHERE text IS NOT NULL
),
ordered AS (
    SELECT *, bool_or(one > 12) OVER () AS has_day_first, bool_or(two > 12) OVER () AS has_month_first
    FROM slashed
)
SELECT text, COALESCE(
    TRY_CAST(text AS TIMESTAMP),
    CASE WHEN has_day_first AND NOT has_month_first THEN TRY_STRPTIME(plain, [
        '%d/%m/%Y %H:%M', '%d/%m/%Y %H:%M:%S', '%d/%m/%Y %I:%M %p', '%d/%m/%Y'
    ]) END,
    CASE WHEN has_month_first AND NOT has_day_first THEN TRY_STRPTIME(plain, [
        '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M %p', '%m/%d/%Y'
    ]) END
) AS moment
FROM ordered
