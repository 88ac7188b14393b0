-- The ids under which activities know a lead: its own, and, once it is converted, that of the
-- contact, to which Salesforce moves its activities.
SELECT Id AS lead_id, left(Id, 15) AS contact_id FROM opportunities
UNION
SELECT Id, left(ConvertedContactId, 15) FROM opportunities WHERE ConvertedContactId LIKE '003%'
