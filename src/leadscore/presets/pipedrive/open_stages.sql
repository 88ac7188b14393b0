-- Entries into stages of open deals, and the stage in which a closed deal was opened again.
SELECT lead_id, happened_at, stage, place, _file, _line
FROM turns
WHERE status = 'open' AND stage IS NOT NULL
QUALIFY stage IS DISTINCT FROM LAG(stage) OVER (PARTITION BY lead_id ORDER BY place)
    OR status_before IN ('won', 'lost')
