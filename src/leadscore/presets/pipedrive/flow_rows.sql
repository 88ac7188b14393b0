-- What was changed in deals, in order; a row that stands twice counts once.
WITH once AS (
    SELECT DISTINCT ON (COLUMNS(* EXCLUDE (_file, _line))) * FROM flow ORDER BY _file, _line
)
SELECT d.lead_id, f.field_key AS field, f.old_value, f.new_value, f.log_time AS happened_at,
    TRY_CAST(f.log_time AS TIMESTAMP) AS moment, f._file, f._line,
    row_number() OVER (
        PARTITION BY d.lead_id, f.field_key
        ORDER BY TRY_CAST(f.log_time AS TIMESTAMP), TRY_CAST(f.id AS BIGINT), f._file, f._line
    ) AS place
FROM once AS f
JOIN deal_rows AS d ON d.lead_id = f.item_id
