"""Salesforce leads: the made-up ones against their truth, and odd leads one by one."""

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.salesforce import at, record_id
from presets.salesforce_leads import STATUSES, build_leads, lead

DEALS = 60
PRESET = "salesforce/leads"


@cache
def export() -> world.Export:
    return world.ingest_made(build_leads(DEALS), PRESET)


def us(day: float) -> int:
    return world.moment_us(at(day))


def closes_of(name: str) -> list[tuple[str, int]]:
    rows = export().of_lead("outcomes", lead(name))
    return [(row["outcome"], row["event_us"]) for row in rows]


@pytest.mark.parametrize("number", range(0, DEALS, 6))
def test_lead_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = world.build_deals(DEALS)[number]

    stages = export().of_lead("stages", lead(number))
    closes = export().of_lead("outcomes", lead(number))
    activities = export().of_lead("activities", lead(number))

    since = first_change_us()
    entries = [
        (max(world.moment_us(moment), since), STATUSES[place]) for moment, place in deal.entries
    ]
    assert [(row["event_us"], row["stage"]) for row in stages] == entries
    expected = [(deal.outcome, world.moment_us(deal.closed))] if deal.closed else []
    assert [(row["outcome"], row["event_us"]) for row in closes] == expected
    kinds = {"call": "call", "meeting": "meeting", "email": "email"}
    assert [(row["event_us"], row["kind"]) for row in activities] == [
        (
            world.moment_us(activity.at),
            "call_attempt"
            if activity.kind == "call" and activity.seconds < 10
            else kinds[activity.kind],
        )
        for activity in deal.activities
    ]


def first_change_us() -> int:
    """Since when the status was tracked, as far as the file shows."""
    moments = [
        row["CreatedDate"]
        for row in build_leads(DEALS).tables["LeadHistory"]
        if row["Field"] == "Status"
    ]
    return world.parse_moment(min(moments), zone="UTC")


@pytest.mark.parametrize(
    ("name", "closes"),
    [
        ("says", []),
        ("silent", []),
        ("untracked", [("won", us(30))]),
        ("reopened", [("lost", us(20))]),
    ],
)
def test_close_when_odd_then_is_an_event_and_its_outcome_a_flag(
    name: str, closes: list[tuple[str, int]]
) -> None:
    assert closes_of(name) == closes


def test_conversion_when_it_has_only_a_day_then_counts_at_its_end() -> None:
    ((outcome, event_us),) = closes_of("only_a_day")

    end_of_day = at(40).replace(hour=23, minute=59, second=59, microsecond=999999)
    assert (outcome, event_us) == ("won", world.moment_us(end_of_day))


def test_loss_when_nothing_dates_it_then_is_known_by_the_export() -> None:
    (row,) = export().of_lead("outcomes", lead("undated"))

    assert row["outcome"] == "lost"
    assert row["available_us"] < world.moment_us(world.END)


def test_status_when_it_says_converted_of_one_that_is_not_then_is_rejected_by_name() -> None:
    assert export().of_lead("stages", lead("reopened"))[-1]["stage"] == "Working"
    assert export().of_lead("stages", lead("says")) == []
    assert [row["stage"] for row in export().of_lead("stages", lead("silent"))] == ["New"]


def test_owner_when_tracked_then_has_a_history_of_ids() -> None:
    rows = export().of_lead("changes", lead("silent"))

    owners = [(row["event_us"], row["value"]) for row in rows if row["field"] == "owner_id"]
    assert owners[-1] == (us(505), record_id("005", 2))


def test_activities_when_a_lead_became_a_contact_then_those_of_its_time_are_its_own() -> None:
    rows = export().of_lead("activities", lead("untracked"))

    assert [row["event_us"] for row in rows] == [us(15)]


def test_activities_when_due_or_ahead_then_are_no_activity_yet() -> None:
    rows = {row["activity_id"]: row for row in export().of_lead("activities", lead("silent"))}

    booked = rows[record_id("00U", "booked")]
    assert (booked["booked_at"], booked["event_us"]) == (us(529), us(900))
    assert rows[record_id("00U", "invited")]["kind"] == "meeting"
    assert rows[record_id("00T", "done")]["kind"] == "call"
    assert rows[record_id("00T", "due") + " due"]["outcome"] == "planned"


def test_export_when_only_leads_are_there_then_says_what_is_lost(tmp_path: Path) -> None:
    organisation = build_leads(DEALS)
    organisation.write(tmp_path, without=[n for n in organisation.tables if n != "Lead"])

    alone = world.ingest_folder(tmp_path, PRESET)

    assert len(alone.rows("leads")) == len(export().rows("leads"))
    assert len([line for line in alone.ingested.warnings if line.startswith("no file for")]) == 6
    assert alone.rows("stages") == []


@pytest.mark.slow
def test_leads_when_trained_then_open_ones_have_scores(tmp_path: Path) -> None:
    build_leads(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
