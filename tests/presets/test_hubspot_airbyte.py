"""HubSpot as Airbyte lands it: the same facts as from Fivetran's tables."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import histories
from presets import world
from presets.hubspot import build_account
from presets.hubspot_airbyte import build_streams

DEALS = 30
PRESET = "hubspot/airbyte"
ONLY_FIVETRAN = ("form", "message")
KIND = re.compile(r"^(call|meeting|email|task|note) ")  # before an id, which is unique within it


@cache
def by_fivetran() -> world.Export:
    folder = histories.scratch() / "hubspot-by-fivetran"
    folder.mkdir()
    build_account(DEALS).write(folder)
    return world.ingest_folder(folder, "hubspot/fivetran")


@cache
def by_airbyte() -> world.Export:
    folder = histories.scratch() / "hubspot-by-airbyte"
    folder.mkdir()
    build_streams(DEALS).write(folder)
    return world.ingest_folder(folder, PRESET)


def facts(export: world.Export, table: str) -> list[dict[str, Any]]:
    """Rows in an order that does not hang on that of the files."""
    rows = [row for row in export.rows(table) if row.get("kind") not in ONLY_FIVETRAN]
    for row in rows:
        row.pop("seq", None)
        if "activity_id" in row:
            row["activity_id"] = KIND.sub("", row["activity_id"])
    return world.unsalted(sorted(rows, key=without_hashes))


def without_hashes(row: dict[str, Any]) -> str:
    """A row as text, without what is salted."""
    plain = {name: value for name, value in row.items() if "hash:" not in str(value)}
    return str(plain)


@pytest.mark.parametrize("table", ["leads", "outcomes", "stages", "changes", "activities"])
def test_streams_when_of_one_account_then_the_facts_are_those_of_fivetran(table: str) -> None:
    rows = facts(by_airbyte(), table)

    assert rows
    assert rows == facts(by_fivetran(), table)


def test_flags_when_all_are_true_then_an_unknown_stage_closes_nothing(tmp_path: Path) -> None:
    streams = build_streams(DEALS)
    for row in streams.tables["deals"]:
        row["properties_hs_is_closed"] = "true"
        row["properties_hs_is_closed_won"] = "true"
    streams.write(tmp_path)

    old = world.ingest_folder(tmp_path, PRESET)

    assert old.rows("outcomes") == by_airbyte().rows("outcomes")


def test_deal_when_in_the_stream_of_archived_ones_then_ignored_by_name(tmp_path: Path) -> None:
    streams = build_streams(DEALS)
    streams.add("deals_archived", id="silent", archived="true")
    streams.write(tmp_path)

    export = world.ingest_folder(tmp_path, PRESET)

    assert export.of_lead("leads", "silent") == []
    assert export.ingested.accounts.sources["deals"].ignored_by == {"deleted": 2}


def test_streams_when_only_deals_are_there_then_says_what_is_lost(tmp_path: Path) -> None:
    streams = build_streams(DEALS)
    streams.write(tmp_path, without=[name for name in streams.tables if name != "deals"])

    alone = world.ingest_folder(tmp_path, PRESET)

    assert len(alone.rows("leads")) == len(by_airbyte().rows("leads"))
    assert len([line for line in alone.ingested.warnings if line.startswith("no file for")]) == 9


@pytest.mark.slow
def test_streams_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    build_streams(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
