"""Zoho with its history of stages: the made-up deals against their truth, in each of three forms."""

from functools import cache
from pathlib import Path

import pytest

import histories
from presets import world
from presets.zoho_tables import STAGES, Records, at, build_records, id_of

DEALS = 40
WAYS = {
    "json lines": ("zoho/api", Records.write_json_lines),
    "bulk read": ("zoho/api", Records.write_bulk_files),
    "fivetran": ("zoho/fivetran", Records.write_fivetran_tables),
}
JSON_LINES = """
[sources.deal_list]
path = "Deals.jsonl"
[sources.history]
path = "Stage_History.jsonl"
[sources.call_list]
path = "Calls.jsonl"
"""
all_ways = pytest.mark.parametrize("way", WAYS)


@cache
def export(way: str) -> world.Export:
    folder = histories.scratch() / f"zoho {way}"
    folder.mkdir()
    return ingest(folder, way, DEALS)


def ingest(folder: Path, way: str, count: int, *, more: str = "") -> world.Export:
    preset, write = WAYS[way]
    write(build_records(count), folder)
    places = JSON_LINES if way == "json lines" else ""
    return world.ingest_folder(folder, preset, more=places + more)


def stored(way: str, table: str, number: int, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a deal's rows."""
    return export(way).columns_of(table, id_of(number), *columns)


def us(day: float) -> int:
    return world.moment_us(at(day))


@all_ways
@pytest.mark.parametrize("number", range(0, DEALS, 8))
def test_deal_when_ordinary_then_stored_as_it_went(way: str, number: int) -> None:
    deal = world.build_deals(DEALS)[number]

    assert stored(way, "stages", number, "event_us", "stage") == deal.stages(STAGES)
    assert stored(way, "outcomes", number, "event_us", "outcome") == deal.closes()
    calls = [world.moment_us(activity.at) for activity in deal.activities]
    assert [moment for (moment,) in stored(way, "activities", number, "event_us")] == calls


@all_ways
def test_deal_when_opened_again_then_closed_once_and_back_in_its_stage(way: str) -> None:
    assert stored(way, "outcomes", 900, "outcome", "event_us") == [("lost", us(20))]
    stages = [(STAGES[0], us(10)), (STAGES[1], us(40))]
    assert stored(way, "stages", 900, "stage", "event_us") == stages


@all_ways
def test_close_when_there_is_no_history_then_is_the_closing_date(way: str) -> None:
    ((outcome, event_us),) = stored(way, "outcomes", 901, "outcome", "event_us")

    assert outcome == "lost"
    assert us(30) < event_us < us(31)


@all_ways
def test_calls_when_of_a_contact_then_count_for_the_deal_open_then(way: str) -> None:
    assert stored(way, "activities", 903, "event_us", "kind") == [(us(15), "brief_call")]
    assert stored(way, "activities", 902, "kind", "actor") == [
        ("brief_call", "rep"),
        ("long_call", "lead"),
    ]


@pytest.mark.parametrize("table", ["leads", "outcomes", "stages", "activities"])
def test_forms_when_of_one_organisation_then_their_facts_are_equal(table: str) -> None:
    first, *others = (world.unsalted(export(way).rows(table)) for way in WAYS)

    assert all(rows == first for rows in others)


@pytest.mark.parametrize("preset", ["zoho/api", "zoho/fivetran"])
def test_form_when_only_deals_are_there_then_says_what_is_lost(tmp_path: Path, preset: str) -> None:
    records = build_records(DEALS)
    records.write_bulk_files(tmp_path)
    records.write_fivetran_tables(tmp_path)
    for name in ("Stage_History", "Calls", "deal_stage_history", "call"):
        (tmp_path / f"{name}.csv").unlink()

    alone = world.ingest_folder(tmp_path, preset)

    assert len(alone.rows("leads")) == len(export("fivetran").rows("leads"))
    assert len([line for line in alone.ingested.warnings if line.startswith("no file for")]) == 2
    assert alone.rows("stages") == []


def test_fivetran_rows_when_deleted_then_the_call_is_counted_and_the_stage_never_entered(
    tmp_path: Path,
) -> None:
    records = build_records(DEALS)
    records.call(902, at(502), 400)
    records.enter(902, at(503), STAGES[1])
    records.calls[-1]["_Fivetran_Deleted"] = "true"
    records.history[-1]["_Fivetran_Deleted"] = "true"
    records.write_fivetran_tables(tmp_path)

    made = world.ingest_folder(tmp_path, "zoho/fivetran")

    assert len(made.of_lead("activities", id_of(902))) == 2
    assert made.ingested.accounts.sources["activities"].ignored_by["deleted"] == 1
    assert [row["stage"] for row in made.of_lead("stages", id_of(902))] == [STAGES[0]]


@pytest.mark.slow
def test_tables_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    world.check_training(ingest(tmp_path, "fivetran", 300, more=world.QUICK))


@pytest.mark.slow
def test_records_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    world.check_training(ingest(tmp_path, "json lines", 300, more=world.QUICK))
