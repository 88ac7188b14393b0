"""Every preset with what connectors and databases write differently: repeated rows, versions, flags."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import histories
from leadscore import project as jobs
from leadscore.errors import MissingColumnsError
from leadscore.settings.preset import preset_names, read_preset
from presets import (
    dynamics,
    dynamics_leads,
    hubspot_dlt,
    odoo,
    pipedrive,
    pipedrive_dlt,
    pipedrive_inbox,
    salesforce,
    salesforce_leads,
    world,
    zoho_tables,
)

DEALS = 6
TABLES = ("leads", "outcomes", "stages", "changes", "activities")
EXPORTS: dict[str, Callable[[Path], None]] = {
    "dynamics": lambda folder: dynamics.build_organisation(DEALS).write(folder),
    "dynamics/leads": lambda folder: dynamics_leads.build_leads(DEALS).write(folder),
    "hubspot/dlt": lambda folder: hubspot_dlt.build_tables(DEALS).write(folder),
    "odoo": lambda folder: odoo.build_database(DEALS).write(folder),
    "pipedrive/airbyte": lambda folder: pipedrive.build_company(DEALS).write(folder),
    "pipedrive/dlt": lambda folder: pipedrive_dlt.build_tables(DEALS).write(folder),
    "pipedrive/leads": lambda folder: pipedrive_inbox.build_inbox(DEALS).write(folder),
    "salesforce": lambda folder: salesforce.build_organisation(DEALS).write(folder),
    "salesforce/leads": lambda folder: salesforce_leads.build_leads(DEALS).write(folder),
    "zoho/api": lambda folder: zoho_tables.build_records(DEALS).write_bulk_files(folder),
}
FLAGS = {  # preset -> file of the leads, and the flag that a spreadsheet translates
    "hubspot/dlt": ("deals.csv", "hs_is_closed_won"),
    "odoo": ("crm_lead.csv", "active"),
    "salesforce": ("Opportunity.csv", "IsClosed"),
}
# sources whose rows need no id: they have their line for one, or are leads that few rows name
WITHOUT_ID = {
    "dynamics/leads": {"opportunities"},
    "pipedrive": {"activities_list"},
    "zoho": {"calls"},
    "zoho/api": {"call_list"},
    "zoho/fivetran": {"call"},
}
VERSIONED = {  # preset -> file of the leads, when a row was changed, and a column that was another
    "dynamics": ("opportunity.csv", "modifiedon", "estimatedvalue"),
    "dynamics/leads": ("lead.csv", "modifiedon", "estimatedamount"),
    "pipedrive/airbyte": ("deals.csv", "update_time", "value"),
    "pipedrive/dlt": ("deals.csv", "update_time", "value"),
    "pipedrive/leads": ("leads.csv", "update_time", "value"),
    "zoho/api": ("Deals.csv", "Modified_Time", "Amount"),
}
Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ingest(folder: Path, preset: str) -> dict[str, list[dict[str, Any]]]:
    """The facts of an export, in an order of their own."""
    export = world.ingest_folder(folder, preset, more=world.LENIENT)
    return {table: _sorted(export.rows(table)) for table in TABLES}


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in rows:
        row.pop("seq", None)
    in_order = sorted(rows, key=lambda row: str({**row, "account": "", "contact": "", "value": ""}))
    return world.unsalted(in_order)


@cache
def exported(preset: str) -> dict[str, list[dict[str, Any]]]:
    """The facts of the export as it is."""
    folder = histories.scratch() / preset.replace("/", " and ")
    return ingest(written(folder, preset), preset)


def written(folder: Path, preset: str) -> Path:
    folder.mkdir()
    EXPORTS[preset](folder)
    return folder


def is_flag(name: str, texts: set[str]) -> bool:
    """Whether a column with these texts holds true and false."""
    numbers = texts <= {"1", "0", ""}
    return texts <= {"true", "false", ""} or (numbers and name.lower().startswith("is"))


def with_letters(row: Row, flags: set[str]) -> Row:
    """A row whose flags are written as by PostgreSQL's COPY."""
    letters = {"true": "t", "1": "t", "false": "f", "0": "f", "": ""}
    return row | {name: letters[row[name].lower()] for name in flags}


@pytest.mark.cases(1)
@pytest.mark.parametrize("preset", EXPORTS)
def test_rows_when_they_stand_twice_as_postgresql_writes_them_then_the_facts_are_the_same(
    tmp_path: Path, preset: str
) -> None:
    copied = written(tmp_path / "copied", preset)
    for path in copied.glob("*.csv"):
        rows = read(path)
        flags = {name for name in rows[0] if is_flag(name, {row[name].lower() for row in rows})}
        landed = [with_letters(row, flags) for row in rows]
        world.write_table(path, landed + landed, list(rows[0]))

    assert ingest(copied, preset) == exported(preset)


@pytest.mark.parametrize("preset", preset_names())
def test_source_when_of_a_preset_then_it_says_which_ids_its_rows_need(preset: str) -> None:
    sources = read_preset(preset)["sources"]
    without = {name for name, source in sources.items() if not source.get("required")}

    assert without == WITHOUT_ID.get(preset, set())


@pytest.mark.cases(1)
@pytest.mark.parametrize("preset", ["salesforce", "pipedrive/airbyte"])
def test_rows_when_they_have_no_id_then_each_is_a_reject(tmp_path: Path, preset: str) -> None:
    folder = written(tmp_path / "without", preset)
    settings = world.settings_in(folder, preset, more=world.LENIENT)
    expected = {}
    for name, source in settings.sources.items():
        path = folder / source.place()
        if path.is_file():
            rows = read(path)
            columns = [column for choice in source.required for column in choice]
            lost = rows[0] | dict.fromkeys(columns, "")
            world.write_table(path, [*rows, lost], list(rows[0]))
            expected[name] = 1

    export = world.ingest_folder(folder, preset, more=world.LENIENT)

    accounts = export.ingested.accounts.sources
    assert {name: accounts[name].rejected for name in expected} == expected


@pytest.mark.cases(1)
@pytest.mark.parametrize("preset", ["hubspot/dlt", "pipedrive/airbyte"])
def test_file_when_it_has_no_column_of_ids_then_refused_by_name(
    tmp_path: Path, preset: str
) -> None:
    folder = written(tmp_path / "without", preset)
    settings = world.settings_in(folder, preset)
    for source in settings.sources.values():
        path = folder / source.place()
        if not path.is_file():
            continue
        rows = read(path)
        name = source.required[0][0]
        world.write_table(path, [without(row, name) for row in rows], list(without(rows[0], name)))

        with pytest.raises(MissingColumnsError, match=f"{path.name} has no column '{name}', which"):
            jobs.ingest(settings)
        world.write_table(path, rows, list(rows[0]))


def without(row: Row, name: str) -> Row:
    return {column: text for column, text in row.items() if column != name}


@pytest.mark.cases(1)
@pytest.mark.parametrize("preset", FLAGS)
def test_lead_when_its_flag_cannot_be_read_then_rejected_and_not_open(
    tmp_path: Path, preset: str
) -> None:
    folder = written(tmp_path / "translated", preset)
    name, flag = FLAGS[preset]
    rows = read(folder / name)
    translated = [rows[0] | {flag: "WAHR"}, *rows[1:]]
    world.write_table(folder / name, translated, list(translated[0]))

    export = world.ingest_folder(folder, preset, more=world.LENIENT)

    assert export.ingested.rejects["unselected"] == 1
    (value,) = export.rejected()["unselected"]
    assert "WAHR" in str(value)


@pytest.mark.cases(2)
@pytest.mark.parametrize("preset", VERSIONED)
def test_leads_when_older_versions_are_there_then_the_latest_counts(
    tmp_path: Path, preset: str
) -> None:
    appended = written(tmp_path / "appended", preset)
    name, changed, column = VERSIONED[preset]
    latest = [row | {changed: "2025-01-02 00:00:00"} for row in read(appended / name)]
    older = [row | {changed: "2024-01-02 00:00:00", column: "1"} for row in latest]
    world.write_table(appended / name, latest + older, list(latest[0]))

    assert ingest(appended, preset) == exported(preset)
