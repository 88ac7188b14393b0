"""Salesforce as Fivetran lands it: the same facts as from the Data Export, with either history."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from presets import world
from presets.salesforce import at, build_organisation, opportunity, record_id
from presets.salesforce_fivetran import OF_DLT, build_lead_tables, build_tables
from presets.salesforce_fivetran import TABLES as NAMES
from presets.salesforce_leads import build_leads

DEALS = 30
PRESET = "salesforce/fivetran"
LEADS_PRESET = "salesforce/fivetran_leads"
FIELDS = ("owner_id", "amount", "close_date", "forecast_category", "source", "type", "account")
TABLES = ("leads", "outcomes", "stages", "changes", "activities")


@cache
def exported() -> world.Export:
    return world.ingest_made(build_organisation(DEALS), "salesforce")


@cache
def landed(*, in_history_mode: bool) -> world.Export:
    return world.ingest_made(build_tables(DEALS, in_history_mode=in_history_mode), PRESET)


def without_seq(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seq"} for row in rows]


@pytest.mark.cases(1)
@pytest.mark.parametrize("table", TABLES)
def test_tables_when_of_the_object_then_the_facts_are_those_of_the_export(table: str) -> None:
    rows = world.unsalted(landed(in_history_mode=False).rows(table))
    assert rows == world.unsalted(exported().rows(table))


@pytest.mark.parametrize("table", ["leads", "outcomes", "stages", "activities"])
def test_tables_when_in_history_mode_then_the_facts_are_those_of_the_export(table: str) -> None:
    rows = landed(in_history_mode=True).rows(table)

    # stages of one second, without flags, and known from the history of a field only
    names = ("tie", "old_stage", "stamped") if table == "stages" else ()
    odd = {opportunity(name) for name in names}
    expected = [row for row in exported().rows(table) if row["lead_id"] not in odd]
    landed_rows = [row for row in rows if row["lead_id"] not in odd]
    if table == "leads":  # fields that have a history in this form have no first value
        for row in (*expected, *landed_rows):
            for name in FIELDS:
                row.pop(name)
    assert without_seq(world.unsalted(landed_rows)) == without_seq(world.unsalted(expected))


def test_owner_when_in_history_mode_then_has_a_history() -> None:
    rows = landed(in_history_mode=True).of_lead("changes", opportunity("silent"))

    owners = [row["event_us"] for row in rows if row["field"] == "owner_id"]
    assert owners == [world.moment_us(at(500))]


def test_task_when_of_several_versions_then_the_last_counts() -> None:
    rows = landed(in_history_mode=True).of_lead("activities", opportunity("silent"))

    assert [row["activity_id"] for row in rows].count(record_id("00T", "call")) == 1


@pytest.mark.cases(1)
@pytest.mark.parametrize("table", TABLES)
def test_tables_when_dlt_makes_them_then_the_same_preset_reads_what_is_there(
    tmp_path: Path, table: str
) -> None:
    for name in ("tables", "export"):
        (tmp_path / name).mkdir()
    tables, organisation = build_tables(DEALS, in_history_mode=False), build_organisation(DEALS)
    tables.tables["task"].pop()  # a version of a task, which dlt does not keep
    for row in tables.tables["task"]:
        row.pop("_fivetran_active", None)
    tables.write(tmp_path / "tables", without=[n for n in tables.tables if n not in OF_DLT])
    without = [name for name in organisation.tables if NAMES[name] not in OF_DLT]
    organisation.write(tmp_path / "export", without=without)

    by_tables = world.ingest_folder(tmp_path / "tables", PRESET)
    by_export = world.ingest_folder(tmp_path / "export", "salesforce")

    assert world.unsalted(by_tables.rows(table)) == world.unsalted(by_export.rows(table))


@cache
def exported_leads() -> world.Export:
    return world.ingest_made(build_leads(DEALS), "salesforce/leads")


@cache
def landed_leads() -> world.Export:
    return world.ingest_made(build_lead_tables(DEALS), LEADS_PRESET)


@pytest.mark.parametrize("table", TABLES)
def test_leads_when_in_tables_then_the_facts_are_those_of_the_export(table: str) -> None:
    rows = world.unsalted(landed_leads().rows(table))

    assert rows
    assert rows == world.unsalted(exported_leads().rows(table))


@pytest.mark.slow
def test_lead_tables_when_trained_then_open_leads_have_scores(tmp_path: Path) -> None:
    build_lead_tables(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, LEADS_PRESET, more=world.QUICK))


@pytest.mark.slow
def test_tables_when_trained_then_open_opportunities_have_scores(tmp_path: Path) -> None:
    build_tables(300, in_history_mode=True).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
