"""HubSpot as Airbyte lands it: the same facts as from Fivetran's tables."""

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.compared import HUBSPOT_DEALS as DEALS
from presets.compared import facts, hubspot_by_fivetran
from presets.hubspot_airbyte import build_streams

PRESET = "hubspot/airbyte"


@cache
def by_airbyte() -> world.Export:
    return world.ingest_made(build_streams(DEALS), PRESET)


@pytest.mark.cases(1)
@pytest.mark.parametrize("table", ["leads", "outcomes", "stages", "changes", "activities"])
def test_streams_when_of_one_account_then_the_facts_are_those_of_fivetran(table: str) -> None:
    rows = facts(by_airbyte(), table)

    assert rows
    assert rows == facts(hubspot_by_fivetran(), table)


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
