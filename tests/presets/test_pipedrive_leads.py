"""Pipedrive's inbox of leads: converted is won and archived is lost, in the form of Airbyte and of dlt."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.pipedrive_inbox import build_inbox
from presets.world import build_deals

DEALS = 40
PRESET = "pipedrive/leads"


@cache
def export(*, by_dlt: bool = False) -> world.Export:
    return world.ingest_made(build_inbox(DEALS, by_dlt=by_dlt), PRESET)


def stored(table: str, lead_id: object, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a lead's rows."""
    return export().columns_of(table, str(lead_id), *columns)


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_lead_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = build_deals(DEALS)[number]

    assert stored("outcomes", number, "event_us", "outcome") == deal.closes()
    assert len(stored("activities", number, "kind")) == len(deal.activities)
    assert stored("leads", number, "currency") == [("CZK",)]


def test_lead_when_archived_without_a_time_then_lost_by_the_export() -> None:
    ((outcome, available_us),) = stored("outcomes", "undated", "outcome", "available_us")

    assert (outcome, available_us) == ("lost", world.moment_us(world.END) - 1)


def test_activities_when_of_the_person_or_due_then_only_what_was_done_counts() -> None:
    assert stored("activities", "silent", "kind") == [("meeting",), ("note",)]
    assert export().ingested.accounts.sources["activities"].ignored_by["not_done"] == 1


@pytest.mark.parametrize("table", ["leads", "outcomes", "activities", "observed"])
def test_leads_when_landed_by_dlt_then_the_facts_are_those_of_airbyte(table: str) -> None:
    rows = world.unsalted(export(by_dlt=True).rows(table))

    assert rows
    assert rows == world.unsalted(export().rows(table))


@pytest.mark.slow
def test_inbox_when_trained_then_open_leads_have_scores(tmp_path: Path) -> None:
    build_inbox(700).write(tmp_path)  # with 400 the interval of the AUC reaches from 0.44 to 0.71

    export = world.ingest_folder(tmp_path, PRESET, more=world.QUICK)

    world.check_training(export, least_auc=0.6)  # without stages and lengths of calls
