"""HubSpot's own lists: the made-up account against its truth, and odd deals one by one."""

from functools import cache
from pathlib import Path

import pytest

from leadscore.errors import UserError
from leadscore.times import parse_moment
from presets import world
from presets.hubspot import LABELS
from presets.hubspot_export import Lists

DEALS = 40
PRESET = "hubspot"
ZONE = "Europe/Berlin"


@cache
def export() -> world.Export:
    return world.ingest_made(Lists(DEALS), PRESET)


def local_us(text: str) -> int:
    """A moment of the account's zone."""
    return parse_moment(text, zone=ZONE)


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_deal_when_ordinary_then_stored_as_it_went(number: int) -> None:
    deal = world.build_deals(DEALS)[number]
    lead_id = f"19{number:06}"

    stages = export().of_lead("stages", lead_id)
    closes = export().of_lead("outcomes", lead_id)

    entries = [(local_us(world.time_text(at)), LABELS[place]) for at, place in deal.entries]
    assert [(row["event_us"], row["stage"]) for row in stages] == entries
    closed = [(deal.outcome, local_us(world.time_text(deal.closed)))] if deal.closed else []
    assert [(row["outcome"], row["event_us"]) for row in closes] == closed
    assert len(export().of_lead("activities", lead_id)) == len(deal.activities)


def test_stages_when_skipped_at_the_close_then_are_no_entries() -> None:
    stages = [row["stage"] for row in export().of_lead("stages", "skips")]
    (close,) = export().of_lead("outcomes", "skips")

    assert stages == [LABELS[0]]
    assert (close["outcome"], close["event_us"]) == ("won", local_us("2024-03-01T10:00"))


def test_close_when_nothing_else_dates_it_then_the_close_date_does() -> None:
    (close,) = export().of_lead("outcomes", "dated")

    assert (close["outcome"], close["event_us"]) == ("lost", local_us("2024-03-05T10:00"))
    assert export().of_lead("outcomes", "open") == []


def test_activities_when_of_several_deals_then_count_for_all_of_them() -> None:
    rows = {
        lead_id: [(row["kind"], row["actor"], row["duration_s"]) for row in rows]
        for lead_id in ("open", "skips")
        for rows in [export().of_lead("activities", lead_id)]
    }

    assert rows["open"] == rows["skips"]
    assert rows["open"] == [
        ("call", "rep", None),
        ("call", "lead", 310),
        ("call_attempt", "rep", None),
        ("task", "rep", None),
        ("meeting", "rep", None),
    ]
    assert export().ingested.accounts.sources["activities"].ignored_by["not_done"] == 2


def test_meeting_when_cancelled_then_was_a_plan_since_it_was_booked() -> None:
    (row,) = [row for row in export().of_lead("activities", "open") if row["kind"] == "meeting"]

    assert row["outcome"] == "cancelled"
    assert row["booked_at"] == world.parse_moment("2024-02-09 10:00", zone="Europe/Berlin")


def test_account_when_deals_share_a_company_then_one_hash_and_contacts_are_apart() -> None:
    assert export().group_of("skips", "account") == {"skips", "dated"}
    assert export().keys("account")["open"] is None
    assert export().group_of("19000000", "contact") == {"19000000"}


def test_amount_when_written_with_its_sign_then_read() -> None:
    deal = world.build_deals(DEALS)[0]
    (row,) = export().of_lead("leads", "19000000")

    assert row["amount"] == deal.amounts[-1][1] * 100
    assert row["job_title"] == "CFO"


def test_export_when_the_flags_are_missing_then_refused(tmp_path: Path) -> None:
    lists = Lists(5)
    for row in lists.tables["deals"]:
        del row["Is Closed Won"]
    lists.write(tmp_path)

    with pytest.raises(UserError, match="Is Closed Won"):
        world.ingest_folder(tmp_path, PRESET)


def test_export_when_only_deals_are_there_then_says_what_is_lost(tmp_path: Path) -> None:
    lists = Lists(20)
    lists.write(tmp_path, without=[name for name in lists.tables if name != "deals"])

    alone = world.ingest_folder(tmp_path, PRESET)

    assert len(alone.rows("leads")) == 23
    assert len([line for line in alone.ingested.warnings if line.startswith("no file for")]) == 6


@pytest.mark.slow
def test_lists_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    Lists(300).write(tmp_path)

    world.check_training(world.ingest_folder(tmp_path, PRESET, more=world.QUICK))
