-- Today's state of every deal: by its stage, or by HubSpot's own flags where the stage is unknown.
SELECT d.lead_id AS deal_id, d.created, d.closed_at, d._file, d._line, h.state AS last_state,
    COALESCE(
        s.state,
        CASE WHEN lower(d.is_won) IN ('true', 't', 'yes', '1') THEN 'won'
            WHEN lower(d.is_closed) IN ('true', 't', 'yes', '1') THEN 'lost' END,
        h.state,
        'open'
    ) AS state
FROM deal_rows AS d
LEFT JOIN stage_labels AS s ON s.stage_id = d.in_stage
LEFT JOIN (
    SELECT * FROM entered
    QUALIFY row_number() OVER (PARTITION BY deal_id ORDER BY place DESC) = 1
) AS h ON h.deal_id = d.lead_id
QUALIFY row_number() OVER (
    PARTITION BY d._file, d._line
    ORDER BY COALESCE(s.pipeline_id = d.in_pipeline, false) DESC, s.pipeline_id
) = 1
