-- Activities that nothing is known of but their time.
SELECT engagement_id, 'note' AS kind, 'rep' AS actor,
    COALESCE(property_hs_timestamp, property_hs_createdate) AS happened_at,
    _fivetran_deleted AS deleted, _file, _line
FROM engagement_note
UNION ALL
SELECT engagement_id, 'message', 'rep', COALESCE(property_hs_timestamp, property_hs_createdate),
    _fivetran_deleted, _file, _line
FROM engagement_communication
UNION ALL
SELECT 'form ' || conversion_id || ' of ' || contact_id, 'form', 'lead', timestamp, NULL, _file, _line
FROM contact_form_submission
