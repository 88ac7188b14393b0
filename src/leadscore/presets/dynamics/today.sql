-- Today's values of the fields that have a history, one a row.
SELECT lead_id, created, state, _file, _line, now.field AS field, now.value AS value
FROM (
    SELECT *, unnest([
        {'field': 'stage', 'value': CASE WHEN COUNT(stepname) OVER () > 0 THEN stepname
            ELSE salesstage END},
        {'field': 'ownerid', 'value': ownerid},
        {'field': 'estimatedvalue', 'value': estimatedvalue},
        {'field': 'estimatedclosedate', 'value': estimatedclosedate},
        {'field': 'budgetstatus', 'value': budgetstatus},
        {'field': 'need', 'value': need},
        {'field': 'timeframe', 'value': timeframe},
        {'field': 'decisionmaker', 'value': decisionmaker},
        {'field': 'parentaccountid', 'value': account},
        {'field': 'parentcontactid', 'value': contact},
        {'field': 'state', 'value': state}
    ]) AS now
    FROM opportunity_rows
) AS opened
