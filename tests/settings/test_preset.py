import tomllib
from pathlib import Path
from typing import Any

import pytest

from leadscore.errors import SettingsError
from leadscore.settings.preset import apply_preset, preset_names, preset_text, read_preset
from leadscore.settings.read import read_settings


def test_preset_when_there_is_none_then_nothing_changes() -> None:
    raw = {"project": "p", "mapping": [{"source": "a"}]}

    assert apply_preset(raw) is raw


def test_preset_when_misspelt_then_the_nearest_is_named(tmp_path: Path) -> None:
    path = tmp_path / "leadscore.toml"
    path.write_text('project = "p"\npreset = "salesfroce"\n')

    with pytest.raises(SettingsError, match="did you mean 'salesforce'"):
        read_settings(path)


@pytest.mark.parametrize("name", preset_names())
def test_preset_when_read_then_has_its_sql_and_says_what_it_is(name: str) -> None:
    preset = read_preset(name)

    assert preset["about"]["title"]
    assert all(view["sql"].strip() for view in preset.get("views", {}).values())


def test_preset_when_forms_share_parts_then_each_is_shown_whole() -> None:
    export, tables = (tomllib.loads(preset_text(f"salesforce{form}")) for form in ("", "/fivetran"))

    assert export["mapping"] == tables["mapping"]
    assert export["sources"] != tables["sources"]
    assert not [name for name in preset_names() if "_" in name.rpartition("/")[2][:1]]


def test_preset_when_a_user_overrides_parts_then_the_rest_stays() -> None:
    name = "salesforce"
    below = read_preset(name)
    first = below["mapping"][0]
    own = {
        "preset": name,
        "project": "p",
        "sources": {"opportunities": {"path": "mine.csv"}},
        "mapping": [
            {
                "source": first["source"],
                "table": first["table"],
                "columns": {"budget": "Budget__c", "owner_id": ""},
            },
            {"source": "opportunities", "table": "changes", "columns": {"lead_id": "Id"}},
        ],
    }

    merged = apply_preset(own)

    assert merged["sources"]["opportunities"]["path"] == "mine.csv"
    columns = below["sources"]["opportunities"]["columns"]
    assert merged["sources"]["opportunities"]["columns"] == columns
    assert merged["mapping"][0]["columns"]["budget"] == "Budget__c"
    assert "owner_id" not in merged["mapping"][0]["columns"]
    assert merged["mapping"][0]["columns"]["lead_id"] == first["columns"]["lead_id"]
    assert merged["mapping"][-1] == own["mapping"][-1]
    assert len(merged["mapping"]) == len(below["mapping"]) + 1
    assert "about" not in merged


@pytest.mark.parametrize(
    ("own", "memory"),
    [
        ({}, {"account": "export", "contact": "export"}),
        ({"memory": {"account": "creation"}}, {"account": "creation", "contact": "export"}),
        ({"fields": {"account": {}}}, {"contact": "export"}),
        ({"columns": {"account": "", "contact": ""}}, {}),
    ],
    ids=["as it is", "stated", "a field", "taken out"],
)
def test_preset_when_a_key_is_taken_out_then_nothing_is_said_of_it(
    own: dict[str, Any], memory: dict[str, str]
) -> None:
    entry = {"source": "leads", "table": "leads", "columns": own.pop("columns", {})}

    merged = apply_preset({"preset": "zoho", "mapping": [entry]} | own)

    assert merged["memory"] == memory
