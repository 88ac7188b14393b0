-- What was changed in deals, in order.
SELECT d.lead_id, f.field_key AS field, f.old_value, f.new_value, f.log_time AS happened_at,
    TRY_CAST(f.log_time AS TIMESTAMP) AS moment, f._file, f._line,
    row_number() OVER (
        PARTITION BY d.lead_id, f.field_key
        ORDER BY TRY_CAST(f.log_time AS TIMESTAMP), TRY_CAST(f.id AS BIGINT), f._file, f._line
    ) AS place
FROM flow AS f
JOIN deal_rows AS d ON d.lead_id = f.item_id
