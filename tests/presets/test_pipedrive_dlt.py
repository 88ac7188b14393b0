"""Pipedrive as dlt lands it: the same deals as from Airbyte's tables, with old values or without."""

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.compared import PIPEDRIVE_DEALS as DEALS
from presets.compared import pipedrive_by_airbyte
from presets.pipedrive import STAGES, at
from presets.pipedrive_dlt import build_tables

PRESET = "pipedrive/dlt"


@cache
def export(*, has_old_values: bool) -> world.Export:
    return world.ingest_made(build_tables(DEALS, has_old_values=has_old_values), PRESET)


@pytest.mark.parametrize("table", ["leads", "outcomes", "stages", "changes", "activities"])
def test_tables_when_they_have_old_values_then_the_facts_are_those_of_airbyte(table: str) -> None:
    rows = world.unsalted(export(has_old_values=True).rows(table))

    assert rows
    assert rows == world.unsalted(pipedrive_by_airbyte().rows(table))


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_deal_when_old_values_are_missing_then_only_what_it_became_is_known(number: int) -> None:
    deal = world.build_deals(DEALS)[number]
    known = export(has_old_values=False)

    stages = [(row["event_us"], row["stage"]) for row in known.of_lead("stages", str(number))]
    entries = [(world.moment_us(moment), STAGES[place]) for moment, place in deal.entries]
    assert stages == entries[1:]  # a start without a move would tell that none came
    outcomes = [row["event_us"] for row in known.of_lead("outcomes", str(number))]
    assert outcomes == ([world.moment_us(deal.closed)] if deal.closed else [])


def test_deal_when_reopened_without_old_values_then_still_closed_once() -> None:
    rows = export(has_old_values=False).of_lead("outcomes", "reopened")

    closes = [(row["outcome"], row["event_us"]) for row in rows]
    assert closes == [("lost", world.moment_us(at(20)))]


@pytest.mark.slow
def test_tables_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    build_tables(300, has_old_values=False).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
