-- What properties of deals became, the name of a stage's id included. A sync in append mode repeats
-- rows.
SELECT dealId AS deal_id, timestamp AS happened_at, property, value, _file, _line
FROM deals_property_history
QUALIFY row_number() OVER (
    PARTITION BY dealId, property, timestamp, value ORDER BY _file, _line
) = 1
