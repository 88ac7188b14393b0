"""Settings of targets: what a CRM could not load is refused before anything is written."""

import pytest
from pydantic import ValidationError

from leadscore.settings.targets import TargetSettings

KINDS = ("salesforce", "hubspot", "dynamics", "odoo", "pipedrive", "generic")
BAD_NAMES = (" lead ", "a\nb", "a\x00b", " ", "a\u0085b", "a\tb ")
REFUSED = [
    *[(kind, {"fields": {"score": name}}, "fields.score") for kind in KINDS for name in BAD_NAMES],
    *[(kind, {"key": name}, "key =") for kind in KINDS for name in BAD_NAMES],
    *[(kind, {"object": name}, "object =") for kind in KINDS for name in BAD_NAMES],
    ("salesforce", {"fields": {"score": 'My, "x'}}, "API name"),
    ("salesforce", {"key": 'k,"x'}, "API name"),
    ("salesforce", {"object": "a/../../b c"}, "object ="),
    ("hubspot", {"fields": {"score": "Score"}}, "lower case"),
    ("hubspot", {"object": "a/../../b"}, "object ="),
    ("odoo", {"fields": {"score": "X_Score"}}, "technical name"),
    ("odoo", {"fields": {"rep_id": "user_id"}}, "user_id/.id"),
    ("odoo", {"key": "x_id"}, "id or .id"),
    ("odoo", {"id_prefix": "bad prefix;"}, "id_prefix"),
    ("odoo", {"id_prefix": "nodot"}, "id_prefix"),
    ("odoo", {"id_prefix": "two.dots."}, "id_prefix"),
    ("dynamics", {"key": "leadid"}, "msdyn_entityid"),
    ("dynamics", {"object": "account"}, "lead or opportunity"),
    ("generic", {"fields": {"score": "same", "tier": "SAME"}}, "several columns"),
    ("odoo", {"bom": True}, "byte order mark"),
    ("generic", {"bom": True}, "byte order mark"),
    *[(kind, {"date_format": "%d.%m.%Y"}, "own format") for kind in ("salesforce", "hubspot", "generic")],
    *[("dynamics", {"date_format": text}, "read back") for text in ("%Q%", "xx", "%d.%m.", "%Y-%m-%d\n")],
    ("dynamics", {"max_bytes": 9_000_000}, "at most 8000000"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "how", "words"), REFUSED)
def test_target_when_its_crm_could_not_load_it_then_is_refused(kind, how, words):
    with pytest.raises(ValidationError, match=words):
        TargetSettings(kind=kind, **how)


@pytest.mark.parametrize(("kind", "how"), [
    ("salesforce", {"fields": {"score": "Lead_Score__c", "rep_id": "Owner.Ext__c", "tier": ""}}),
    ("salesforce", {"key": "Id", "object": "My_Thing__c", "bom": True}),
    ("hubspot", {"key": "hs_object_id", "object": "2-123"}),
    ("odoo", {"key": ".id", "fields": {"rep_id": "user_id/.id", "win_probability": "probability"}}),
    ("odoo", {"id_prefix": "acme.lead-", "date_format": "%d/%m/%Y %H:%M:%S"}),
    ("dynamics", {"object": "opportunity", "date_format": "%d.%m.%Y"}),
    ("pipedrive", {"key": "ID", "fields": {"score": "Punkte (neu), Größe"}}),
    ("generic", {"fields": {"score": 'My, "x'}}),
    ("database", {"key": " ", "date_format": "xx"}),
])  # fmt: skip
def test_target_when_its_crm_can_load_it_then_is_taken(kind, how):
    assert TargetSettings(kind=kind, **how).kind == kind
