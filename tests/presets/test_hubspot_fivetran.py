"""HubSpot as Fivetran lands it: the made-up account against its truth, and odd deals one by one."""

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.hubspot import LABELS, at, build_account, deal_id

DEALS = 60
PRESET = "hubspot/fivetran"


@cache
def export() -> world.Export:
    return world.ingest_made(build_account(DEALS), PRESET)


def moments(rows):
    return [row["event_us"] for row in rows]


def us(day: float) -> int:
    return world.moment_us(at(day))


@pytest.mark.parametrize("number", range(0, DEALS, 6))
def test_deal_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = world.build_deals(DEALS)[number]
    lead_id = deal_id(number)

    stages = export().of_lead("stages", lead_id)
    closes = export().of_lead("outcomes", lead_id)
    amounts = [row for row in export().of_lead("changes", lead_id) if row["field"] == "amount"]

    entries = [(world.moment_us(moment), LABELS[place]) for moment, place in deal.entries]
    assert [(row["event_us"], row["stage"]) for row in stages] == entries
    assert [row["outcome"] for row in closes] == ([deal.outcome] if deal.outcome else [])
    assert moments(closes) == ([world.moment_us(deal.closed)] if deal.closed else [])
    assert [(row["event_us"], row["value"]) for row in amounts] == [
        (world.moment_us(moment), str(amount * 100)) for moment, amount in deal.amounts
    ]


@pytest.mark.parametrize("number", range(0, DEALS, 6))
def test_activities_when_linked_to_deal_or_person_then_all_are_of_the_deal(number: int) -> None:
    deal = world.build_deals(DEALS)[number]

    rows = export().of_lead("activities", deal_id(number))

    kinds = {"call": "call", "meeting": "meeting", "email": "email_sent"}
    expected = []
    for activity in deal.activities:
        is_attempt = activity.kind == "call" and activity.seconds < 10
        kind = "call_attempt" if is_attempt else kinds[activity.kind]
        expected.append((world.moment_us(activity.at), kind))
    assert [(row["event_us"], row["kind"]) for row in rows] == expected


@pytest.mark.parametrize(
    ("lead_id", "closes"),
    [
        ("skips", [("won", 20)]),
        ("reopened", [("lost", 20)]),
        ("no_history", [("lost", 30)]),
        ("silent", []),
        ("partner", [("won", 30)]),
        ("parked", []),
    ],
)
def test_close_when_odd_then_is_an_event_and_its_outcome_a_flag(
    lead_id: str, closes: list[tuple[str, int]]
) -> None:
    rows = export().of_lead("outcomes", lead_id)

    assert [(row["outcome"], row["event_us"]) for row in rows] == [
        (outcome, world.moment_us(at(day))) for outcome, day in closes
    ]


@pytest.mark.parametrize(
    ("lead_id", "stages"),
    [
        ("skips", ["Erstgespräch"]),
        ("reopened", ["Erstgespräch", "Qualifiziert"]),
        ("partner", ["Qualifiziert (Partner)"]),
        ("parked", ["Zurückgestellt"]),
        ("unknown_stage", []),
    ],
)
def test_stages_when_odd_then_only_entries_into_open_ones(lead_id: str, stages: list[str]) -> None:
    assert [row["stage"] for row in export().of_lead("stages", lead_id)] == stages


def test_stage_when_nothing_names_it_then_its_id_is_rejected() -> None:
    assert "999" in export().rejected()["allowed"]


def test_close_when_it_has_no_date_then_is_known_by_the_export() -> None:
    (row,) = export().of_lead("outcomes", "no_close_date")

    assert row["outcome"] == "lost"
    assert row["available_us"] < world.moment_us(world.END)


def test_close_date_when_in_milliseconds_then_read_as_a_date() -> None:
    rows = [row for row in export().of_lead("changes", "silent") if row["field"] == "close_date"]

    assert [row["value"] for row in rows] == [str(world.moment_us(at(530)))]


def test_closed_stages_when_the_flag_has_its_old_name_then_known_all_the_same(
    tmp_path: Path,
) -> None:
    account = build_account(DEALS)
    for row in account.tables["deal_pipeline_stage"]:
        del row["is_closed"]  # closed_won, its old name, meant closed
    account.write(tmp_path)

    old = world.ingest_folder(tmp_path, PRESET)

    assert old.rows("outcomes") == export().rows("outcomes")


def test_lead_when_imported_later_then_is_known_from_the_import() -> None:
    (row,) = export().of_lead("leads", "imported")

    assert row["event_us"] == world.moment_us(at(5))
    assert row["available_us"] == world.moment_us(at(300))


def test_lead_when_deleted_then_ignored_by_name_with_its_stages() -> None:
    accounts = export().ingested.accounts

    assert export().of_lead("leads", "deleted") == []
    assert accounts.sources["deals"].ignored_by == {"deleted": 1}
    assert accounts.tables["stages"].ignored_by == {"deleted": 1}


def test_currency_when_deals_differ_then_is_of_the_row() -> None:
    (row,) = export().of_lead("leads", "partner")

    assert (row["amount"], row["currency"]) == (1200_50, "CHF")


def test_activity_when_linked_to_a_person_only_then_is_of_the_deals_open_then() -> None:
    counts = [len(export().of_lead("activities", f"of_one_person_{i}")) for i in range(3)]

    assert counts == [0, 1, 0]


@pytest.mark.parametrize(
    ("engagement_id", "kind", "actor", "day"),
    [
        ("n1", "note", "rep", 505),
        ("m20", "meeting", "rep", 506),
        ("m21", "no_show", "rep", 507),
        ("m23", "meeting", "rep", 509),
        ("t1", "task", "rep", 512),
        ("c1", "call_attempt", "rep", 514),
        ("c2", "call", "lead", 515),
        ("c3", "call_attempt", "lead", 516),
        ("e1", "email_received", "lead", 518),
        ("form f1 of shy", "form", "lead", 519),
    ],
)
def test_activity_when_odd_then_its_kind_is_what_happened(
    engagement_id: str, kind: str, actor: str, day: int
) -> None:
    rows = {row["activity_id"]: row for row in export().of_lead("activities", "silent")}

    row = rows[engagement_id]
    assert (row["kind"], row["actor"]) == (kind, actor)
    assert row["event_us"] == world.moment_us(at(day))


def test_activity_when_it_did_not_happen_then_ignored_by_name() -> None:
    ids = {row["activity_id"] for row in export().of_lead("activities", "silent")}
    ignored = export().ingested.accounts.sources["activities"].ignored_by

    assert ids.isdisjoint({"t2", "t3", "c4"})
    assert ignored == {"deleted": 1, "not_done": 1, "cancelled": 0}


def test_meeting_when_ahead_or_cancelled_then_a_plan_from_when_it_was_booked() -> None:
    rows = {row["activity_id"]: row for row in export().of_lead("activities", "silent")}

    assert (rows["m22"]["outcome"], rows["m22"]["booked_at"]) == ("cancelled", us(508))
    assert (rows["m3"]["booked_at"], rows["m3"]["event_us"]) == (us(520), us(900))


def test_task_when_it_was_open_for_a_while_then_was_a_plan_until_it_was_due() -> None:
    rows = {row["activity_id"]: row for row in export().of_lead("activities", "silent")}

    for task, made, due in (("t1 due", 508, 530), ("t2 due", 510, 513)):
        row = rows[task]
        assert (row["outcome"], row["booked_at"], row["event_us"]) == ("planned", us(made), us(due))


def test_account_when_deals_share_a_company_then_the_primary_one_else_the_oldest_counts() -> None:
    assert export().group_of("skips", "account") == {"skips", "reopened"}
    assert export().group_of("partner", "account") == {"partner", "no_history", "silent"}
    assert export().keys("account")["parked"] is None


def test_account_when_its_history_is_there_then_counts_from_creation() -> None:
    rows = [row for row in export().of_lead("changes", "silent") if row["field"] == "account"]

    assert [row["event_us"] for row in rows] == [us(500), us(505)]
    assert rows[0]["value"] == export().keys("account")["skips"]


def test_contact_when_deals_share_a_person_then_one_hash() -> None:
    busy = {f"of_one_person_{number}" for number in range(3)}

    assert export().group_of("of_one_person_0", "contact") == busy


def test_export_when_only_deals_are_there_then_says_what_is_lost(tmp_path: Path) -> None:
    account = build_account(20)
    account.write(tmp_path, without=[name for name in account.tables if name != "deal"])

    alone = world.ingest_folder(tmp_path, PRESET)

    assert len(alone.rows("leads")) == len(account.tables["deal"]) - 1
    assert alone.rows("activities") == []
    assert len([line for line in alone.ingested.warnings if line.startswith("no file for")]) == 18
    # the default pipeline's own ids still close, and the close date is all there is
    (row,) = alone.of_lead("outcomes", "no_history")
    assert row["event_us"] == world.moment_us(at(30))


def test_columns_when_in_capitals_then_the_same_facts(tmp_path: Path) -> None:
    build_account(DEALS).write(tmp_path)
    for path in tmp_path.glob("*.csv"):
        header, _, rest = path.read_text().partition("\n")
        path.write_text(f"{header.upper()}\n{rest}")

    capitals = world.ingest_folder(tmp_path, PRESET)

    for table in ("leads", "outcomes", "stages", "changes", "activities"):
        assert world.unsalted(capitals.rows(table)) == world.unsalted(export().rows(table))


@pytest.mark.slow
def test_account_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    build_account(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
