-- The stages of all pipelines: their names, and whether they are open, won or lost. Only the
-- default pipeline's names stand alone, since the same label often stands in several pipelines.
WITH listed AS (
    SELECT *, TRY_CAST(probability AS DOUBLE) AS chance,
        lower(COALESCE(closed, 'false')) IN ('true', '1', 't', 'yes') AS closes
    FROM stage_rows
),
standard (stage_id, label, state, rank) AS (
    VALUES ('appointmentscheduled', 'Appointment Scheduled', 'open', 0),
        ('qualifiedtobuy', 'Qualified To Buy', 'open', 1),
        ('presentationscheduled', 'Presentation Scheduled', 'open', 2),
        ('decisionmakerboughtin', 'Decision Maker Bought-In', 'open', 3),
        ('contractsent', 'Contract Sent', 'open', 4),
        ('closedwon', 'Closed Won', 'won', 5),
        ('closedlost', 'Closed Lost', 'lost', 6)
)
SELECT pipeline_id, stage_id, TRY_CAST(display_order AS INTEGER) AS rank,
    CASE WHEN pipeline_id = 'default' OR pipeline IS NULL THEN label
        ELSE label || ' (' || pipeline || ')' END AS name,
    CASE WHEN chance >= 1 THEN 'won'
        WHEN closes OR stage_id = 'closedlost' THEN 'lost'
        ELSE 'open' END AS state
FROM listed
UNION ALL
SELECT 'default', stage_id, rank, label, state
FROM standard
WHERE stage_id NOT IN (SELECT stage_id FROM stage_rows WHERE stage_id IS NOT NULL)
