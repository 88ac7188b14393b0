-- Which people an activity was with.
SELECT engagement_id, contact_id FROM engagement_contact
WHERE COALESCE(lower(_fivetran_deleted), 'false') NOT IN ('true', 't', '1')
UNION ALL
SELECT 'form ' || conversion_id || ' of ' || contact_id, contact_id FROM contact_form_submission
