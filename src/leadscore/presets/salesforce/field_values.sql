-- The history of tracked fields. The value before the first change is in that change, and counts
-- from creation; but Salesforce keeps this history for 18 to 24 months, and not from before a field
-- was tracked, so never from before the first change of that field in the file.
WITH changed AS (
    SELECT o.Id AS lead_id, o.CreatedDate AS created, h.CreatedDate AS happened_at,
        CASE WHEN h.Field IN ('Owner', 'ownerAssignment') THEN 'OwnerId'
            WHEN h.Field = 'Account' THEN 'AccountId' ELSE h.Field END AS tracked,
        h.OldValue AS old_value, h.NewValue AS new_value, h._file, h._line,
        TRY_CAST(h.CreatedDate AS TIMESTAMP) AS moment
    FROM field_history AS h
    JOIN opportunities AS o ON left(o.Id, 15) = left(h.OpportunityId, 15)
    WHERE COALESCE(lower(h.IsDeleted), '0') NOT IN ('1', 'true', 't')
        -- both are empty where a long text changed
        AND (h.OldValue IS NOT NULL OR h.NewValue IS NOT NULL)
        -- an owner or an account has two rows: one of names, one of ids
        AND (
            h.Field NOT IN ('Owner', 'ownerAssignment', 'Account', 'AccountId')
            OR regexp_full_match(
                COALESCE(h.NewValue, h.OldValue), '00[15G][A-Za-z0-9]{12}(...)?'
            )
        )
),
since AS (
    SELECT tracked, arg_min(happened_at, moment) AS tracked_since, MIN(moment) AS since_moment
    FROM changed
    GROUP BY tracked
),
first AS (
    SELECT *, true AS has_changed FROM changed
    QUALIFY row_number() OVER (
        PARTITION BY lead_id, tracked ORDER BY moment, _file, _line
    ) = 1
),
today AS (
    SELECT Id AS lead_id, CreatedDate AS created, _file, _line,
        unnest([
            {'tracked': 'OwnerId', 'value': OwnerId},
            {'tracked': 'LeadSource', 'value': LeadSource},
            {'tracked': 'Type', 'value': Type},
            {'tracked': 'AccountId', 'value': CASE WHEN AccountId LIKE '001%' THEN AccountId END},
            -- a closed one has entered its stage later
            {'tracked': 'StageName', 'value': CASE
                WHEN COALESCE(lower(IsClosed), '0') NOT IN ('1', 'true', 't') THEN StageName END}
        ]) AS field
    FROM opportunities
),
-- a field of an opportunity that never changed had its value from the start
unchanged AS (
    SELECT t.lead_id, t.created, t.field.tracked AS tracked, t.field.value AS value,
        t._file, t._line
    FROM today AS t
    LEFT JOIN first AS f ON f.lead_id = t.lead_id AND f.tracked = t.field.tracked
    WHERE f.lead_id IS NULL
),
starts AS (
    SELECT lead_id, created, tracked, old_value AS value, _file, _line FROM first
    UNION ALL
    SELECT * FROM unchanged
)
SELECT lead_id, happened_at, tracked, new_value AS value, _file, _line FROM changed
UNION ALL
SELECT s.lead_id,
    CASE WHEN TRY_CAST(s.created AS TIMESTAMP) >= n.since_moment THEN s.created
        ELSE n.tracked_since END,
    s.tracked, s.value, s._file, s._line
FROM starts AS s
JOIN since AS n ON n.tracked = s.tracked
WHERE s.value IS NOT NULL
