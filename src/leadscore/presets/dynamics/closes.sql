-- When opportunities were won or lost: the change of state in the audit, else the moment when the row
-- of the close was written, else the date of the close.
WITH by_audit AS (
    SELECT lead_id, happened_at, status, status_before, _file, _line,
        COUNT(*) FILTER (status = 'open') OVER (
            PARTITION BY lead_id ORDER BY place ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) = 0 AS is_last
    FROM turns
),
last_turns AS (
    SELECT lead_id, status FROM turns
    QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY place DESC) = 1
),
stamps AS (
    SELECT lower(trim(COALESCE(opportunityid, _opportunityid_value), '{}')) AS lead_id,
        COALESCE(createdon, actualend) AS happened_at
    FROM opportunityclose
    WHERE COALESCE(lower(COALESCE(_fivetran_deleted, IsDelete)), 'false') NOT IN ('true', 't', '1')
    QUALIFY row_number() OVER (
        PARTITION BY lead_id ORDER BY TRY_CAST(happened_at AS TIMESTAMP) DESC NULLS LAST, _file, _line
    ) = 1
),
closes AS (
    SELECT a.lead_id, a.happened_at, a.status, a._file, a._line, false AS is_by_row
    FROM by_audit AS a
    JOIN opportunity_rows AS o ON o.lead_id = a.lead_id
    WHERE a.status IN ('won', 'lost')
        AND a.status IS DISTINCT FROM a.status_before
        AND NOT (o.state = 'open' AND a.is_last)
    UNION ALL
    SELECT o.lead_id, COALESCE(s.happened_at, o.closed_on), o.state, o._file, o._line, true
    FROM opportunity_rows AS o
    LEFT JOIN last_turns AS t ON t.lead_id = o.lead_id
    LEFT JOIN stamps AS s ON s.lead_id = o.lead_id
    WHERE o.state IN ('won', 'lost') AND o.state IS DISTINCT FROM t.status
),
latest AS (
    SELECT *, row_number() OVER (
        PARTITION BY lead_id
        ORDER BY is_by_row DESC, TRY_CAST(happened_at AS TIMESTAMP) DESC, _file DESC, _line DESC
    ) = 1 AS is_latest
    FROM closes
)
-- Revenue and reason of the row are today's, so they belong to the last close.
SELECT c.lead_id, c.happened_at, c.status AS outcome, c._file, c._line,
    CASE WHEN c.is_latest THEN COALESCE(
        CASE c.status WHEN 'won' THEN o.actualvalue END, o.estimatedvalue
    ) END AS amount,
    CASE WHEN c.is_latest THEN m.currency END AS currency,
    CASE WHEN c.is_latest AND c.status = 'lost' THEN COALESCE(r.label, o.statuscode) END AS reason
FROM latest AS c
JOIN opportunity_rows AS o ON o.lead_id = c.lead_id
LEFT JOIN options AS r ON r.field = 'statuscode' AND r.code = o.statuscode
LEFT JOIN currencies AS m ON m.id = o.currency_key
