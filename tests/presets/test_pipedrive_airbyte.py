"""Pipedrive as Airbyte lands it: the made-up company against its truth, odd deals one by one."""

from pathlib import Path

import pytest

from presets import world
from presets.compared import PIPEDRIVE_DEALS as DEALS
from presets.compared import pipedrive_by_airbyte
from presets.pipedrive import STAGES, at, build_company

PRESET = "pipedrive/airbyte"


def stored(table: str, lead_id: object, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a lead's rows."""
    return pipedrive_by_airbyte().columns_of(table, str(lead_id), *columns)


def owners(lead_id: str) -> set[object]:
    """The owners of a lead: at first, and from its history."""
    first = {owner for (owner,) in stored("leads", lead_id, "owner_id") if owner}
    changes = stored("changes", lead_id, "field", "value")
    return first | {value for field, value in changes if field == "owner_id"}


def us(day: float) -> int:
    return world.moment_us(at(day))


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_deal_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = world.build_deals(DEALS)[number]

    assert stored("stages", number, "event_us", "stage") == deal.stages(STAGES)
    assert stored("outcomes", number, "event_us", "outcome") == deal.closes()
    assert pipedrive_by_airbyte().changes_of(str(number), "amount") == deal.amount_changes()
    assert len(stored("activities", number, "kind")) == len(deal.activities)


@pytest.mark.parametrize(
    ("lead_id", "closes", "stages"),
    [
        ("reopened", [("lost", 20)], [(STAGES[0], 10), (STAGES[0], 40)]),
        ("moved_when_won", [("won", 20)], [(STAGES[0], 10)]),
        # its changes are not in the file: a stage of today alone would tell that it moved
        ("not_covered", [("lost", 30)], []),
        ("partner", [], [(f"{STAGES[0]} (Partneři)", 10)]),
    ],
)
def test_deal_when_odd_then_closes_by_status_and_stages_are_those_of_open_deals(
    lead_id: str, closes: list[tuple[str, int]], stages: list[tuple[str, int]]
) -> None:
    assert stored("outcomes", lead_id, "outcome", "event_us") == [
        (outcome, us(day)) for outcome, day in closes
    ]
    assert stored("stages", lead_id, "stage", "event_us") == [
        (stage, us(day)) for stage, day in stages
    ]


def test_lead_when_deleted_or_of_an_unknown_status_then_ignored_or_rejected() -> None:
    account = pipedrive_by_airbyte().ingested.accounts.sources["leads"]

    assert (account.ignored_by, account.rejected) == ({"deleted": 1}, 1)
    assert stored("leads", "odd_status", "lead_id") == []


def test_owner_when_an_object_or_an_id_then_its_id() -> None:
    assert stored("leads", "partner", "currency") == [("EUR",)]
    assert owners("partner") == {"7"}
    assert owners("silent") == {"8"}


def test_activity_when_it_was_open_for_a_while_then_was_a_plan_until_it_was_due() -> None:
    rows = stored("activities", "silent", "outcome", "kind", "booked_at", "event_us")

    nine_us = 3_600_000_000  # an hour after the first moment of the made-up world
    assert [row[1:] for row in rows if row[0] == "planned"] == [
        ("lunch", us(509), us(513) + nine_us),
        ("call", us(509), us(516) + nine_us),
    ]


def test_activities_when_odd_then_only_what_was_done_counts() -> None:
    rows = stored("activities", "silent", "outcome", "kind", "event_us", "duration_s")
    assert [row[1:] for row in rows if row[0] != "planned"] == [
        ("meeting", us(505), 4500),
        ("task", us(508), 1800),
        ("note", us(510), None),
        ("call", us(511), 1800),
    ]
    assert pipedrive_by_airbyte().rejected()["allowed"] == {"webinar"}
    ignored = pipedrive_by_airbyte().ingested.accounts.sources["activities"].ignored_by
    assert ignored == {"deleted": 1, "not_done": 1}


def test_account_when_its_changes_are_there_then_counts_from_creation() -> None:
    rows = stored("changes", "silent", "field", "event_us", "value")

    moves = [(moment, value) for field, moment, value in rows if field == "account"]
    assert [moment for moment, _ in moves] == [us(500), us(502)]
    assert moves[0][1] != moves[1][1]
    assert pipedrive_by_airbyte().group_of("silent", "account") == {"silent", "partner", "reopened"}


def test_contact_when_an_object_or_an_id_then_one_hash() -> None:
    assert pipedrive_by_airbyte().group_of("silent", "contact") == {"silent", "partner"}
    assert "contact" not in {row["field"] for row in pipedrive_by_airbyte().rows("changes")}


def test_tables_when_changes_are_missing_then_no_stage_tells_what_came_later(
    tmp_path: Path,
) -> None:
    build_company(20).write(tmp_path, without=["deal_changes"])

    alone = world.ingest_folder(tmp_path, PRESET)

    assert alone.rows("stages") == alone.rows("changes") == []
    deal = world.build_deals(20)[0]
    assert [row["event_us"] for row in alone.of_lead("outcomes", "0")] == (
        [world.moment_us(deal.closed)] if deal.closed else []
    )


@pytest.mark.slow
def test_company_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    build_company(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
