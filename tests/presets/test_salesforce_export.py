"""Salesforce's Data Export: the made-up organisation against its truth, odd things one by one."""

from functools import cache
from pathlib import Path

import pytest

from presets import world
from presets.salesforce import STAGES, at, build_organisation, opportunity, record_id

DEALS = 40
PRESET = "salesforce"


@cache
def export() -> world.Export:
    return world.ingest_made(build_organisation(DEALS), PRESET)


def stored(table: str, name: object, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a lead's rows."""
    return export().columns_of(table, opportunity(name), *columns)


def us(day: float) -> int:
    return world.moment_us(at(day))


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_opportunity_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = world.build_deals(DEALS)[number]

    assert stored("stages", number, "event_us", "stage") == deal.stages(STAGES)
    assert stored("outcomes", number, "event_us", "outcome") == deal.closes()
    assert export().changes_of(opportunity(number), "amount") == deal.amount_changes()


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_activities_when_of_opportunity_or_person_then_all_are_there(number: int) -> None:
    expected = []
    for activity in world.build_deals(DEALS)[number].activities:
        is_attempt = activity.kind == "call" and activity.seconds < 10
        kind = "call_attempt" if is_attempt else activity.kind
        expected.append((world.moment_us(activity.at), kind))

    assert stored("activities", number, "event_us", "kind") == expected


@pytest.mark.parametrize(
    ("name", "closes"),
    [
        ("reopened", [("lost", 20)]),
        ("corrected", [("won", 20)]),
        ("tie", [("lost", 30)]),
        ("stamped", [("lost", 30)]),
        ("by_fields", [("won", 30)]),
        ("old_stage", []),
    ],
)
def test_close_when_odd_then_is_an_event_and_its_outcome_a_flag(
    name: str, closes: list[tuple[str, int]]
) -> None:
    expected = [(outcome, us(day)) for outcome, day in closes]
    assert stored("outcomes", name, "outcome", "event_us") == expected


def test_close_when_only_a_close_date_is_there_then_is_the_end_of_that_day() -> None:
    ((outcome, event_us),) = stored("outcomes", "dated", "outcome", "event_us")

    end_of_day = world.moment_us(at(50).replace(hour=23, minute=59, second=59, microsecond=999_999))
    assert (outcome, event_us) == ("lost", end_of_day)


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("reopened", [STAGES[0], STAGES[1]]),
        ("tie", [STAGES[0], STAGES[2], STAGES[1]]),
        ("by_fields", [STAGES[0], STAGES[2]]),
        ("old_stage", [STAGES[0]]),
    ],
)
def test_stages_when_odd_then_only_entries_into_open_ones(name: str, stages: list[str]) -> None:
    assert [stage for (stage,) in stored("stages", name, "stage")] == stages


def test_stage_when_no_longer_used_then_rejected_by_name() -> None:
    assert export().rejected()["allowed"] == {"Piloto"}


def test_field_when_changed_then_counts_with_its_first_value_from_creation() -> None:
    rows = stored("changes", "handed", "field", "value", "event_us")

    rep, other = record_id("005", 1), record_id("005", 2)
    assert [row for row in rows if row[0] == "owner_id"] == [
        ("owner_id", rep, us(10)),
        ("owner_id", other, us(20)),
    ]
    assert [row for row in rows if row[0] == "source"] == [
        ("source", "Web", us(10)),
        ("source", "Partner", us(21)),
    ]


def test_field_when_it_never_changed_then_counts_from_creation() -> None:
    rows = stored("changes", "silent", "field", "value", "event_us")

    assert ("source", "Web", us(500)) in rows


def test_account_when_deals_share_it_then_one_hash_in_either_spelling() -> None:
    shared = {opportunity(name) for name in ("silent", "second", "corrected")}

    assert export().group_of(opportunity("silent"), "account") == shared


def test_account_when_its_history_is_tracked_then_counts_from_creation() -> None:
    rows = stored("changes", "handed", "field", "event_us", "value")

    moves = [(moment, value) for field, moment, value in rows if field == "account"]
    assert [moment for moment, _ in moves] == [us(10), us(23)]
    assert len({value for _, value in moves}) == 2
    assert all(str(value).startswith("hash:") for _, value in moves)


def test_contact_when_there_is_a_primary_role_then_is_that_person() -> None:
    shared = {opportunity(name) for name in ("silent", "corrected")}

    assert export().group_of(opportunity("silent"), "contact") == shared
    assert export().keys("contact")[opportunity(0)] is None  # its only role is not primary


def test_meeting_when_ahead_then_a_plan_from_when_it_was_booked() -> None:
    rows = stored("activities", "silent", "activity_id", "booked_at", "event_us")

    assert (record_id("00U", "ahead"), us(520), us(900)) in rows


def test_lead_when_deleted_then_ignored_by_name() -> None:
    accounts = export().ingested.accounts

    assert stored("leads", "deleted", "lead_id") == []
    assert accounts.sources["leads"].ignored_by == {"deleted": 1}
    assert accounts.tables["stages"].ignored_by == {"deleted": 1}


@pytest.mark.parametrize(
    ("name", "kind", "actor", "day"),
    [
        ("00T-call", "call", "rep", 501),
        ("00T-mail", "email", "rep", 502),
        ("00T-list", "mass_email", "system", 503),
        ("00T-todo", "task", "rep", 506),
        ("00T-missed", "call_attempt", "rep", 507),
        ("00T-inward", "call", "lead", 508),
        ("00T-account", "call", "rep", 510),
        ("00U-guest", "meeting", "rep", 511),
        ("00U-ahead", "meeting", "rep", 900),
    ],
)
def test_activity_when_odd_then_its_kind_is_what_happened(
    name: str, kind: str, actor: str, day: int
) -> None:
    prefix, _, rest = name.partition("-")
    rows = stored("activities", "silent", "activity_id", "kind", "actor", "event_us")

    assert (record_id(prefix, rest), kind, actor, us(day)) in rows


def test_activity_when_not_done_or_of_no_clear_opportunity_then_not_stored() -> None:
    ids = {row["activity_id"] for row in export().rows("activities")}
    names = [("00T", "open"), ("00T", "gone"), ("00U", "copy"), ("00U", "series")]
    ignored = export().ingested.accounts.sources["activities"].ignored_by

    assert ids.isdisjoint({record_id(*name) for name in [*names, ("00T", "unclear")]})
    assert ignored == {"deleted": 1, "not_done": 1, "series": 1, "copies": 1}


def test_task_when_open_then_is_a_plan_from_when_it_was_made_until_it_is_due() -> None:
    rows = {
        row["activity_id"]: row for row in export().of_lead("activities", opportunity("silent"))
    }

    row = rows[record_id("00T", "open") + " due"]
    assert (row["kind"], row["outcome"], row["booked_at"]) == ("task", "planned", us(505))
    assert us(505) < row["event_us"] < us(506)


def test_money_when_currencies_differ_then_the_row_has_its_own() -> None:
    assert stored("leads", 0, "currency") == [("MXN",)]


def test_files_when_in_cp1252_then_the_same_facts(tmp_path: Path) -> None:
    build_organisation(DEALS).write(tmp_path)
    for path in tmp_path.glob("*.csv"):
        path.write_bytes(path.read_bytes().decode("utf-8").encode("cp1252"))

    western = world.ingest_folder(tmp_path, PRESET)

    assert western.rows("stages") == export().rows("stages")


def test_forecast_category_when_it_tells_the_outcome_then_only_its_history_counts() -> None:
    settings = export().settings

    assert settings.fields["forecast_category"].known_from is None
    assert "forecast_category" not in settings.fields_of_leads()
    rows = [row for row in export().rows("changes") if row["field"] == "forecast_category"]
    assert {row["value"] for row in rows} == {"Pipeline", "Closed", "Omitted"}


def test_export_when_only_opportunities_are_there_then_says_what_is_lost(tmp_path: Path) -> None:
    organisation = build_organisation(20)
    others = [name for name in organisation.tables if name != "Opportunity"]
    organisation.write(tmp_path, without=others)

    alone = world.ingest_folder(tmp_path, PRESET)

    assert len(alone.rows("leads")) == len(organisation.tables["Opportunity"]) - 1
    assert len([line for line in alone.ingested.warnings if line.startswith("no file for")]) == 9
    (close,) = alone.of_lead("outcomes", opportunity("stamped"))
    assert close["event_us"] == us(30)


@pytest.mark.slow
def test_organisation_when_trained_then_open_opportunities_have_scores(tmp_path: Path) -> None:
    build_organisation(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
