"""Dynamics' leads: the made-up ones against their truth, odd leads one by one."""

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.dynamics import at, id_of
from presets.dynamics_leads import STAGES, build_leads

DEALS = 40
PRESET = "dynamics/leads"


@cache
def export() -> world.Export:
    return world.ingest_made(build_leads(DEALS), PRESET)


def stored(table: str, name: object, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a lead's rows."""
    return export().columns_of(table, id_of(name), *columns)


def us(day: float) -> int:
    return world.moment_us(at(day))


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_lead_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = world.build_deals(DEALS)[number]

    assert stored("stages", number, "event_us", "stage") == deal.stages(STAGES)
    assert stored("outcomes", number, "event_us", "outcome") == deal.closes()
    outcomes = [outcome for (outcome,) in stored("activities", number, "outcome")]
    assert len(outcomes) - outcomes.count("planned") == len(deal.activities)


def test_qualification_when_not_audited_then_is_the_moment_of_the_opportunity() -> None:
    assert stored("outcomes", "by_opportunity", "outcome", "event_us") == [("won", us(30))]


def test_loss_when_nothing_dates_it_then_is_known_by_the_export_with_its_reason() -> None:
    ((outcome, available_us, reason),) = stored(
        "outcomes", "undated", "outcome", "available_us", "reason"
    )

    assert (outcome, reason) == ("lost", "Cannot Contact")
    assert available_us == world.moment_us(world.END) - 1


def test_lead_when_reopened_then_closed_once_and_back_in_its_status() -> None:
    assert stored("outcomes", "reopened", "outcome", "event_us") == [("lost", us(20))]
    stages = [(STAGES[0], us(10)), (STAGES[1], us(40))]
    assert stored("stages", "reopened", "stage", "event_us") == stages


def test_lead_when_deleted_or_of_an_unknown_state_then_ignored_or_rejected() -> None:
    account = export().ingested.accounts.sources["leads"]

    assert (account.ignored_by, account.rejected) == ({"deleted": 1}, 1)
    assert stored("leads", "odd_state", "lead_id") == []


def test_fields_when_codes_then_have_their_standard_labels() -> None:
    names = ("source", "rating", "budget_status", "need_level", "decision_maker", "job_title")

    expected = ("Web", "Hot", "Will Buy", "Must have", None, "Director")
    assert stored("leads", "first", *names) == [expected]
    assert set(export().rows("leads")[0]).isdisjoint({"confirminterest"})


def test_account_when_only_a_company_is_named_then_its_name_counts() -> None:
    assert export().group_of(id_of("silent"), "account") == {id_of("silent"), id_of("first")}


def test_activities_when_due_then_are_plans() -> None:
    rows = stored("activities", "silent", "kind", "outcome")

    assert ("phonecall", None) in rows
    assert [row for row in rows if row[0] == "task"] == [("task", "planned")]


def test_tables_when_only_leads_are_there_then_says_what_is_lost(tmp_path: Path) -> None:
    organisation = build_leads(DEALS)
    organisation.write(tmp_path, without=[n for n in organisation.tables if n != "lead"])

    alone = world.ingest_folder(tmp_path, PRESET)

    assert len(alone.rows("leads")) == len(export().rows("leads"))
    assert len([line for line in alone.ingested.warnings if line.startswith("no file for")]) == 8
    assert alone.rows("stages") == []


@pytest.mark.slow
def test_leads_when_trained_then_open_ones_have_scores(tmp_path: Path) -> None:
    build_leads(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
