"""The list of fields that comes with the files: what to create, and what stands in every column."""

import csv
import io
import json
import re

import pytest

from leadscore.publish.targets.columns import COLUMNS
from publish.targets.lists import CRMS, make_list, problems, write


def page_and_fields(delivery):
    page = (delivery.folder / "FIELDS.md").read_text()
    return page, json.loads((delivery.folder / "FIELDS.json").read_text())


def first_row(delivery):
    text = (delivery.folder / "scores-001.csv").read_bytes().decode("utf-8-sig")
    return next(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("kind", CRMS)
def test_fields_when_listed_then_are_the_columns_of_the_file_in_its_order(tmp_path, kind):
    delivery = write(tmp_path, make_list({"L0004243": {}, "L2": {}}), kind)
    page, _ = page_and_fields(delivery)
    assert re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE) == list(first_row(delivery))


@pytest.mark.parametrize("kind", CRMS)
def test_key_when_described_then_is_what_stands_in_the_file_for_the_first_lead(tmp_path, kind):
    delivery = write(tmp_path, make_list({"L0004243": {}, "L2": {}}), kind)
    page, fields = page_and_fields(delivery)
    key = fields["key"]
    assert key["example"] == first_row(delivery)[key["field"]]
    (line,) = [line for line in page.splitlines() if line.startswith(f"| `{key['field']}` |")]
    assert f"`{key['example']}`" in line


def test_key_of_odoo_when_it_is_an_external_id_then_the_prefix_is_named(tmp_path):
    page, fields = page_and_fields(write(tmp_path, make_list({"L0004243": {}}), "odoo"))
    assert fields["key"]["example"] == "leadscore.lead_L0004243"
    assert "`leadscore.lead_` followed by the lead's id" in page


def test_key_when_the_list_is_empty_then_has_no_example(tmp_path):
    page, fields = page_and_fields(write(tmp_path, make_list({}), "odoo"))
    assert fields["key"]["example"] is None
    assert "None" not in page


def test_key_when_an_id_has_marks_of_markdown_then_the_table_stays_whole(tmp_path):
    page, _ = page_and_fields(write(tmp_path, make_list({"a|b`c": {}}), "salesforce"))
    (line,) = [line for line in page.splitlines() if "Leadscore_Id__c" in line]
    assert "`` a\\|b`c ``" in line


@pytest.mark.parametrize(("kind", "how", "create"), [
    ("salesforce", {}, {"Leadscore_Id__c": "yes", "Leadscore_Tier__c": "yes"}),
    ("salesforce", {"fields": {"tier": "Rating"}}, {"Rating": "if missing", "Leadscore_Score__c": "yes"}),
    ("salesforce", {"key": "Id"}, {"Id": "no"}),
    ("odoo", {}, {"id": "no", "x_leadscore_tier": "yes"}),
    ("dynamics", {}, {"msdyn_entityid": "no", "msdyn_entitytype": "no", "msdyn_score": "no"}),
])  # fmt: skip
def test_field_when_listed_then_says_whether_to_create_it(tmp_path, kind, how, create):
    lead = "00Q000000000001"
    _, fields = page_and_fields(write(tmp_path, make_list({lead: {}}), kind, **how))
    listed = {field["field"]: field["create"] for field in [fields["key"], *fields["fields"]]}
    assert create.items() <= listed.items()


def test_page_of_dynamics_when_all_fields_exist_then_asks_to_create_nothing(tmp_path):
    page, _ = page_and_fields(write(tmp_path, make_list({"1": {}}), "dynamics"))
    assert "Create nothing" in page
    assert "to create" not in page
    assert "always `lead`" in page


@pytest.mark.parametrize("column", COLUMNS)
def test_meaning_when_read_alone_then_leans_on_no_other_row(column):
    meaning = COLUMNS[column].meaning
    assert not re.search(r"\b(its?|same|that rep|decided|this)$|\b(its?|same)\b", meaning), meaning


def test_meaning_of_win_percent_when_read_then_is_whole():
    expected = "probability of a win within the horizon, in percent"
    assert COLUMNS["win_percent"].meaning == expected


def test_meaning_when_the_file_holds_codes_then_explains_them(tmp_path):
    page, _ = page_and_fields(write(tmp_path, make_list({"1": {}}), "dynamics"))
    assert "in the file 0 = A, 1 = B, 2 = C, 3 = D |" in page


def test_key_of_generic_when_described_then_is_no_id_of_a_crm(tmp_path):
    page, fields = page_and_fields(write(tmp_path, make_list({"1": {}}), "generic"))
    assert page.startswith("# Columns of the files\n")
    assert fields["key"]["meaning"] == "the lead's id (lead_id)"


@pytest.mark.parametrize(("kind", "how"), [
    *[(kind, {"bom": True}) for kind in ("salesforce", "hubspot", "dynamics", "pipedrive")],
    *[(kind, {"bom": False}) for kind in CRMS],
    *[(kind, {"date_format": "%d.%m.%Y"}) for kind in ("dynamics", "odoo", "pipedrive")],
    *[(kind, {"text_length": 10, "max_bytes": 10_000}) for kind in CRMS],
])  # fmt: skip
def test_file_when_the_settings_change_its_format_then_its_checker_takes_it(tmp_path, kind, how):
    delivery = write(tmp_path, make_list(40), kind, **how)
    assert problems(delivery) == []
