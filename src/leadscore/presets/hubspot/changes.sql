-- What fields of a deal became, and when; HubSpot keeps the value from creation on.
SELECT h.deal_id, h.happened_at, h.property, h._file, h._line,
    CASE h.property WHEN 'hubspot_owner_id' THEN 'owner_id' WHEN 'closedate' THEN 'close_date'
        WHEN 'dealtype' THEN 'deal_type' WHEN 'hs_priority' THEN 'priority'
        WHEN 'hs_analytics_source' THEN 'source'
        WHEN 'hs_primary_associated_company' THEN 'account' ELSE h.property END AS field,
    -- older connectors give dates in milliseconds since 1970
    CASE WHEN h.property = 'closedate' AND regexp_full_match(h.value, '[0-9]{12,13}')
        THEN CAST(make_timestamp(CAST(h.value AS BIGINT) * 1000) AS VARCHAR)
        ELSE h.value END AS value
FROM property_history AS h
JOIN deal_rows AS d ON d.lead_id = h.deal_id
WHERE h.property IN (
    'amount', 'closedate', 'hubspot_owner_id', 'dealtype', 'hs_priority', 'hs_analytics_source',
    'hs_primary_associated_company'
)
