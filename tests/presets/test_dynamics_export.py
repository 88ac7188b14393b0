"""Dynamics' tables: the made-up organisation against its truth, odd opportunities one by one."""

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.dynamics import STAGES, at, build_organisation, id_of

DEALS = 40
PRESET = "dynamics"


@cache
def export() -> world.Export:
    return world.ingest_made(build_organisation(DEALS), PRESET)


def stored(table: str, name: object, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of an opportunity's rows."""
    return export().columns_of(table, id_of(name), *columns)


def changes_of(name: object, field: str) -> list[tuple[object, object]]:
    return export().changes_of(id_of(name), field)


def us(day: float) -> int:
    return world.moment_us(at(day))


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_opportunity_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = world.build_deals(DEALS)[number]

    assert stored("stages", number, "event_us", "stage") == deal.stages(STAGES)
    assert stored("outcomes", number, "event_us", "outcome") == deal.closes()
    assert changes_of(number, "amount") == deal.amount_changes()
    outcomes = [outcome for (outcome,) in stored("activities", number, "outcome")]
    assert len(outcomes) - outcomes.count("planned") == len(deal.activities)


@pytest.mark.parametrize(
    ("name", "closes", "stages"),
    [
        ("reopened", [("lost", 20)], [(STAGES[0], 10), (STAGES[1], 15), (STAGES[1], 40)]),
        ("by_row", [("won", 62)], [(STAGES[0], 10)]),
        ("silent", [], [(STAGES[0], 500)]),
    ],
)
def test_opportunity_when_odd_then_closes_by_state_and_stages_are_those_of_open_ones(
    name: str, closes: list[tuple[str, int]], stages: list[tuple[str, int]]
) -> None:
    assert stored("outcomes", name, "outcome", "event_us") == [
        (outcome, us(day)) for outcome, day in closes
    ]
    assert stored("stages", name, "stage", "event_us") == [
        (stage, us(day)) for stage, day in stages
    ]


def test_close_when_only_its_day_is_known_then_has_the_reason_in_the_words_of_stringmap() -> None:
    assert stored("outcomes", "by_day", "outcome", "reason") == [("lost", "Bez rozpočtu")]


def test_lead_when_migrated_then_created_then_and_known_from_the_migration() -> None:
    assert stored("leads", "migrated", "event_us", "available_us") == [(us(10), us(30))]


def test_lead_when_deleted_or_of_an_unknown_state_then_ignored_or_rejected() -> None:
    account = export().ingested.accounts.sources["leads"]

    assert (account.ignored_by, account.rejected) == ({"deleted": 1}, 1)
    assert stored("leads", "odd_state", "lead_id") == []


def test_answers_when_codes_then_ranked_labels_and_unknown_is_no_answer() -> None:
    answers = ("budget_status", "purchase_timeframe", "decision_maker")
    assert stored("leads", "first", *answers) == [("Will Buy", None, None)]
    need = [value for _, value in changes_of("first", "need_level")]
    assert need == ["No need", "Good to have", "Must have"]
    confirmed = [value for _, value in changes_of("first", "decision_maker")]
    assert confirmed == ["confirmed", None]


def test_fields_when_inverted_or_of_today_then_not_mapped() -> None:
    columns = set(export().rows("leads")[0])

    assert columns.isdisjoint({"confirminterest", "evaluatefit", "actualvalue"})


def test_activities_when_odd_then_only_what_was_done_counts() -> None:
    rows = stored("activities", "acts", "outcome", "kind", "actor", "event_us", "duration_s")
    assert [row[1:] for row in rows if row[0] != "planned"] == [
        ("email", "lead", us(501), None),
        ("phonecall", "rep", us(502), 900),
        ("appointment", "rep", us(504), None),
        ("letter", "rep", us(508), None),
        ("fax", "rep", us(509), None),
    ]
    assert export().rejected()["allowed"] == {"new_webinar"}
    ignored = export().ingested.accounts.sources["activities"].ignored_by
    assert ignored == {"deleted": 1, "not_done": 0, "cancelled": 0, "closes": 1}
    assert stored("activities", "silent", "kind") == []


def test_task_when_open_then_is_a_plan_from_when_it_was_made_until_it_is_due() -> None:
    rows = stored("activities", "acts", "kind", "outcome", "booked_at", "event_us")

    due_us = world.parse_moment("2030-01-01 00:00:00", zone="UTC")
    plans = [row for row in rows if row[1] == "planned" and row[0] == "task"]
    assert [event_us for *_, event_us in plans] == [due_us]


def test_appointment_when_cancelled_then_was_a_plan_since_it_was_made() -> None:
    rows = stored("activities", "acts", "kind", "outcome", "booked_at")

    minute_us = 60_000_000
    assert ("appointment", "cancelled", us(504) - minute_us) in rows


def test_account_when_its_history_is_audited_then_counts_from_then() -> None:
    moves = changes_of("first", "account")

    assert [moment for moment, _ in moves] == [us(0.01), us(7)]
    assert len({value for _, value in moves}) == 2
    shared = {id_of("acts"), id_of("by_day")}
    assert export().group_of(id_of("acts"), "account") == shared


def test_contact_when_the_customer_is_a_person_then_is_that_person() -> None:
    shared = {id_of("silent"), id_of("first")}

    assert export().group_of(id_of("silent"), "contact") == shared


def test_tables_when_the_audit_is_missing_then_no_stage_tells_what_came_later(
    tmp_path: Path,
) -> None:
    build_organisation(20).write(tmp_path, without=["audit_changes"])

    alone = world.ingest_folder(tmp_path, PRESET)

    assert alone.rows("stages") == alone.rows("changes") == []
    closed = {id_of(deal.number) for deal in world.build_deals(20) if deal.closed}
    assert closed <= {row["lead_id"] for row in alone.rows("outcomes")}


@pytest.mark.slow
def test_organisation_when_trained_then_open_opportunities_have_scores(tmp_path: Path) -> None:
    build_organisation(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
