-- What the codes of leads mean, under the names of opportunities. Your own texts come before the
-- standard ones.
SELECT 'opportunity' AS objecttypecode,
    CASE lower(attributename) WHEN 'statuscode' THEN f.name ELSE attributename END AS attributename,
    attributevalue, value, langid, _fivetran_deleted, _file, _line
FROM labels
-- the status of a lead is its stage, and the reason why it was lost
JOIN (VALUES ('statuscode'), ('salesstage')) AS f(name)
    ON lower(attributename) = 'statuscode' OR f.name = 'statuscode'
WHERE lower(objecttypecode) IN ('lead', '4') AND lower(attributename) <> 'salesstage'
UNION ALL
SELECT 'opportunity', attribute, code, label, '~', NULL, '', 0
FROM (VALUES
    ('salesstage', '1', 'New'), ('salesstage', '2', 'Contacted'),
    ('statuscode', '4', 'Lost'), ('statuscode', '5', 'Cannot Contact'),
    ('statuscode', '6', 'No Longer Interested'), ('statuscode', '7', 'Canceled'),
    ('leadqualitycode', '1', 'Hot'), ('leadqualitycode', '2', 'Warm'),
    ('leadqualitycode', '3', 'Cold'), ('leadsourcecode', '1', 'Advertisement'),
    ('leadsourcecode', '2', 'Employee Referral'), ('leadsourcecode', '3', 'External Referral'),
    ('leadsourcecode', '4', 'Partner'), ('leadsourcecode', '5', 'Public Relations'),
    ('leadsourcecode', '6', 'Seminar'), ('leadsourcecode', '7', 'Trade Show'),
    ('leadsourcecode', '8', 'Web'), ('leadsourcecode', '9', 'Word of Mouth'),
    ('leadsourcecode', '10', 'Other')
) AS v(attribute, code, label)
