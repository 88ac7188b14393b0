-- What fields of an opportunity became, and when.
SELECT lead_id, happened_at, place, _file, _line, value,
    CASE field WHEN 'estimatedvalue' THEN 'amount' WHEN 'estimatedclosedate' THEN 'close_date'
        WHEN 'ownerid' THEN 'owner_id' WHEN 'budgetstatus' THEN 'budget_status'
        WHEN 'parentaccountid' THEN 'account' WHEN 'parentcontactid' THEN 'contact'
        WHEN 'need' THEN 'need_level' WHEN 'timeframe' THEN 'purchase_timeframe'
        ELSE 'decision_maker' END AS field
FROM field_values
WHERE field NOT IN ('stage', 'state') AND (place > 0 OR value IS NOT NULL)
