"""HubSpot as dlt lands it: the same deals as from Fivetran's tables, without activities."""

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.compared import HUBSPOT_DEALS as DEALS
from presets.compared import facts, hubspot_by_fivetran
from presets.hubspot_dlt import build_tables

PRESET = "hubspot/dlt"


@cache
def by_dlt() -> world.Export:
    return world.ingest_made(build_tables(DEALS), PRESET)


@pytest.mark.parametrize("table", ["leads", "outcomes", "stages", "changes"])
def test_tables_when_of_one_account_then_the_facts_are_those_of_fivetran(table: str) -> None:
    rows = facts(by_dlt(), table)

    assert rows
    assert rows == facts(hubspot_by_fivetran(), table)


def test_tables_when_only_deals_are_there_then_says_what_is_lost(tmp_path: Path) -> None:
    tables = build_tables(DEALS)
    tables.write(tmp_path, without=[name for name in tables.tables if name != "deals"])

    alone = world.ingest_folder(tmp_path, PRESET)

    assert len(alone.rows("leads")) == len(by_dlt().rows("leads"))
    assert len([line for line in alone.ingested.warnings if line.startswith("no file for")]) == 6


@pytest.mark.slow
def test_tables_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    build_tables(400).write(tmp_path)

    export = world.ingest_folder(tmp_path, PRESET, more=world.QUICK)

    world.check_training(export, least_auc=0.6)  # without activities
