"""Pipedrive's inbox: converted is won and archived is lost, in the form of Airbyte and of dlt."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import histories
from presets import world
from presets.pipedrive import Company, at
from presets.world import Deal, build_deals, time_text

DEALS = 40
PRESET = "pipedrive/leads"


def build_inbox(count: int, *, by_dlt: bool = False) -> Company:
    """Leads of the made-up world, and after them the odd ones."""
    inbox = Company()
    for deal in build_deals(count):
        add_deal(inbox, deal)
    add_lead(inbox, "silent", at(500), person_id="3silent")
    add_lead(inbox, "undated", at(10), is_archived="true")
    inbox.act("1", at(505), "meeting", lead_id="", person_id="3silent")
    inbox.act("2", at(506), "call", lead_id="silent", done="false", marked_as_done_time="")
    inbox.add("notes", id=5, lead_id="silent", person_id="", add_time=time_text(at(510)))
    if by_dlt:
        inbox.tables["leads"] = [flat(row) for row in inbox.tables["leads"]]
    return inbox


def add_lead(inbox: Company, lead_id: object, created: Any, **more: object) -> None:
    row: dict[str, Any] = {
        "id": lead_id,
        "add_time": time_text(created),
        "is_archived": "false",
        "value": json.dumps({"amount": 100, "currency": "CZK"}),
        "owner_id": 7,
        "person_id": f"3{lead_id}",
        "organization_id": 61,
        "source_name": "Web form",
        "expected_close_date": "2024-06-30",
        "archive_time": "",
    }
    inbox.add("leads", **(row | more))


def flat(row: dict[str, Any]) -> dict[str, Any]:
    value = json.loads(row["value"])
    rest = {name: text for name, text in row.items() if name != "value"}
    return rest | {f"value__{name}": part for name, part in value.items()}


def add_deal(inbox: Company, deal: Deal) -> None:
    number = deal.number
    more = {}
    if deal.closed and deal.outcome == "lost":
        more = {"is_archived": "true", "archive_time": time_text(deal.closed)}
    elif deal.closed:
        inbox.add("conversions", lead_id=number, converted_at=time_text(deal.closed))
    add_lead(inbox, number, deal.created, **more)
    for place, activity in enumerate(deal.activities):
        linked = "" if activity.by_person else number
        ids = {"lead_id": linked, "person_id": f"3{number}"}
        kind = "email" if activity.kind == "call" and activity.seconds < 10 else activity.kind
        inbox.act(f"{number}{place:03}", activity.at, kind, **ids)


@cache
def export(*, by_dlt: bool = False) -> world.Export:
    folder = histories.scratch() / f"pipedrive-leads-{by_dlt}"
    folder.mkdir()
    build_inbox(DEALS, by_dlt=by_dlt).write(folder)
    return world.ingest_folder(folder, PRESET)


def stored(table: str, lead_id: object, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a lead's rows."""
    rows = export().of_lead(table, str(lead_id))
    return [tuple(row[column] for column in columns) for row in rows]


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_lead_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = build_deals(DEALS)[number]

    closed = [(world.moment_us(deal.closed), deal.outcome)] if deal.closed else []
    assert stored("outcomes", number, "event_us", "outcome") == closed
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
    build_inbox(400).write(tmp_path)

    export = world.ingest_folder(tmp_path, PRESET, more=world.QUICK)

    world.check_training(export, least_auc=0.6)  # without stages and lengths of calls
