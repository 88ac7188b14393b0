"""Odoo's tables: the made-up database against its truth, odd leads one by one."""

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.odoo import STAGES, at, build_database

DEALS = 40
PRESET = "odoo"


@cache
def export() -> world.Export:
    return world.ingest_made(build_database(DEALS), PRESET)


def stored(table: str, lead_id: object, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a lead's rows."""
    return export().columns_of(table, str(lead_id), *columns)


def changes_of(lead_id: object, field: str) -> list[tuple[object, object]]:
    return export().changes_of(str(lead_id), field)


def us(day: float) -> int:
    return world.moment_us(at(day))


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_lead_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = world.build_deals(DEALS)[number]

    assert stored("stages", number, "event_us", "stage") == deal.stages(STAGES)
    assert stored("outcomes", number, "event_us", "outcome") == deal.closes()
    assert changes_of(number, "amount") == deal.amount_changes()
    assert len(stored("activities", number, "kind")) == len(deal.activities)


@pytest.mark.parametrize(
    ("lead_id", "closes", "stages"),
    [
        ("restored", [("lost", 20)], [(STAGES[0], 10), (STAGES[0], 40)]),
        ("archived_when_won", [("won", 30)], [(STAGES[0], 10)]),
        # its history is not in the tables: a stage of today alone would tell that it moved
        ("not_covered", [("lost", 60)], []),
        ("by_status", [("won", 60)], []),
        ("converted", [], [(STAGES[0], 10)]),
        ("silent", [], [(STAGES[0], 500)]),
    ],
)
def test_lead_when_odd_then_closes_by_flags_and_stages_are_those_of_open_leads(
    lead_id: str, closes: list[tuple[str, int]], stages: list[tuple[str, int]]
) -> None:
    assert stored("outcomes", lead_id, "outcome", "event_us") == [
        (outcome, us(day)) for outcome, day in closes
    ]
    assert stored("stages", lead_id, "stage", "event_us") == [
        (stage, us(day)) for stage, day in stages
    ]


def test_lead_when_archived_but_not_lost_then_ignored_by_name() -> None:
    assert export().ingested.accounts.sources["leads"].ignored_by == {"archived": 1}
    assert stored("leads", "archived", "lead_id") == []


def test_stage_when_it_no_longer_exists_then_its_label_of_then_is_rejected() -> None:
    assert "Zrušená fáze" in export().rejected()["allowed"]
    assert [row[0] for row in stored("stages", "gone_stage", "stage")] == [STAGES[0], STAGES[1]]


def test_lead_when_converted_then_type_and_owner_have_a_history() -> None:
    assert changes_of("converted", "type") == [(us(10), "lead"), (us(12), "opportunity")]
    assert changes_of("converted", "owner_id") == [(us(15), "5")]
    assert changes_of("silent", "type") == [(us(500), "opportunity")]
    assert stored("leads", "converted", "currency", "source") == [("EUR", "Newsletter")]


def test_close_when_lost_then_has_the_reason_in_english() -> None:
    assert stored("outcomes", "not_covered", "reason", "currency") == [("Too expensive", "CZK")]


def test_messages_when_of_many_kinds_then_kind_and_actor_are_known_or_ignored_by_name() -> None:
    assert stored("activities", "messages", "kind", "actor", "event_us", "duration_s") == [
        ("email", "lead", us(501), None),
        ("email", "lead", us(502), None),
        ("email", "rep", us(503), None),
        ("note", "rep", us(504), None),
        ("note", "system", us(505), None),
        ("task", "rep", us(507), None),
        ("meeting", "rep", us(508), 4500),
        ("meeting", "rep", us(510), 4500),
    ]
    assert "whatsapp_message" in export().rejected()["allowed"]
    ignored = export().ingested.accounts.sources["activities"].ignored_by
    assert (ignored["cancelled"], ignored["copies"]) == (0, 1)


def test_meeting_when_cancelled_then_was_a_plan_since_it_was_booked() -> None:
    rows = stored("activities", "messages", "event_us", "outcome", "booked_at")

    assert rows[-2:] == [(us(508), None, us(501)), (us(510), "cancelled", us(501))]


def test_customer_when_its_history_is_tracked_then_counts_from_creation() -> None:
    contacts, accounts = changes_of("converted", "contact"), changes_of("converted", "account")

    assert [moment for moment, _ in contacts] == [us(10), us(16)]
    assert contacts[0][1] == accounts[0][1]  # a customer without a company is one itself
    assert contacts[1][1] != accounts[1][1]
    assert export().group_of("restored", "account") == {"restored", "converted"}
    assert export().group_of("restored", "contact") == {"restored"}


def test_tables_when_the_history_is_missing_then_no_stage_tells_what_came_later(
    tmp_path: Path,
) -> None:
    build_database(20).write(tmp_path, without=["mail_tracking_value"])

    alone = world.ingest_folder(tmp_path, PRESET)

    assert alone.rows("stages") == []
    assert {row["field"] for row in alone.rows("changes")} == {"type"}
    deal = world.build_deals(20)[0]
    assert [row["event_us"] for row in alone.of_lead("outcomes", "0")] == (
        [world.moment_us(deal.closed)] if deal.closed else []
    )


@pytest.mark.slow
def test_database_when_trained_then_open_leads_have_scores(tmp_path: Path) -> None:
    build_database(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
