-- Whether the flags that close an opportunity could be read: a spreadsheet may have translated them.
SELECT _file, _line,
    CASE WHEN COALESCE(lower(IsWon), '0') IN ('1', 'true', 't', '0', 'false', 'f')
            AND COALESCE(lower(IsClosed), '0') IN ('1', 'true', 't', '0', 'false', 'f') THEN 'read'
        ELSE 'not read: ' || concat_ws(', ', IsWon, IsClosed) END AS flags
FROM opportunities
