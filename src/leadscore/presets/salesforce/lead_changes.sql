-- The history of leads by the names that the views of opportunities use. Where the status is not
-- tracked, the row about the conversion is the entry into today's status.
SELECT LeadId AS OpportunityId, CASE Field WHEN 'Status' THEN 'StageName' ELSE Field END AS Field,
    OldValue, NewValue, CreatedDate, IsDeleted, _file, _line
FROM lead_history
WHERE Field <> 'leadConverted'
UNION ALL
SELECT h.LeadId, 'StageName', NULL, l.Status, h.CreatedDate, h.IsDeleted, h._file, h._line
FROM lead_history AS h
JOIN lead_list AS l ON left(l.Id, 15) = left(h.LeadId, 15)
WHERE h.Field = 'leadConverted'
    AND NOT EXISTS (
        SELECT 1 FROM lead_history AS s
        WHERE s.LeadId = h.LeadId AND s.Field = 'Status' AND s.NewValue = l.Status
    )
