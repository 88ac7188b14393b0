"""Zoho's own lists: deals by the state of their stage, calls through contacts, lengths as kinds."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import histories
from presets import world
from presets.world import BEGIN, Deal, build_deals, write_table

DEALS = 40
PRESET = "zoho"
STATES = {None: "Angebot", "won": "Payment Done", "lost": "Lost"}
Row = dict[str, Any]


def at(day: float) -> datetime:
    """A moment so many days after the first."""
    return BEGIN + timedelta(days=day)


def local(moment: datetime) -> str:
    """A moment as a user in Germany sees it, with the clock of UTC."""
    return moment.strftime("%d.%m.%Y %H:%M")


def id_of(number: int) -> str:
    """An id of 19 digits; as a number it would be rounded."""
    return f"{4567890000000000000 + number}"


def local_us(moment: datetime) -> int:
    return world.parse_moment(moment.strftime("%Y-%m-%d %H:%M"), zone="Europe/Berlin")


def deal_row(number: int, created: datetime, stage: str, **more: object) -> Row:
    """A deal of the list."""
    row: Row = {
        "Id": id_of(number),
        "Created Time": local(created),
        "Stage": stage,
        "Closing Date": "",
        "Amount": 100,
        "Currency": "EUR",
        "Deal Owner Name": "Jana",
        "Contact Name": id_of(number + 1000),
        "Account Name": id_of(number + 3000),
        "Lost Reason": "",
        # learned from, it would tell the outcome
        "Overall Sales Duration": 12,
    }
    return row | more


def call_row(contact: int, moment: datetime, seconds: object, **more: object) -> Row:
    """A call of the list."""
    row: Row = {
        "CONTACTID": id_of(contact + 1000),
        "Call Start Time": local(moment),
        "Call Type": "Outbound",
        "Call Status": "Attended Dialled",
        "Call Duration (in seconds)": seconds,
    }
    return row | more


def of_deal(deal: Deal) -> Row:
    more: Row = {"Amount": deal.amounts[-1][1]}
    if deal.closed:
        more["Closing Date"] = deal.closed.strftime("%d.%m.%Y")
    return deal_row(deal.number, deal.created, STATES[deal.outcome], **more)


def odd_deals() -> list[Row]:
    shared = {"Contact Name": id_of(2000)}
    return [
        deal_row(900, at(10), "Angebot", **shared),
        deal_row(901, at(10), "Lost", **shared, **{"Closing Date": "20.01.2024"}),
        deal_row(902, at(30), "Angebot", **shared, **{"Account Name": id_of(3907)}),
        deal_row(903, at(30), "Lost", **{"Closing Date": "01.01.2024"}),
        deal_row(904, at(30), "Payment Done", Amount="#REF!"),
        deal_row(905, at(30), "Zurückgestellt"),
        deal_row(906, at(30), "Angebot", Id="4,56789E+18"),
        deal_row(907, at(500), "Angebot"),
    ]


def odd_calls() -> list[Row]:
    return [
        call_row(1000, at(12), 30),  # two of the contact's deals were open
        call_row(1000, at(35), 30),  # two others
        call_row(907, at(501), 9),
        call_row(907, at(502), 59),
        call_row(907, at(503), 299),
        call_row(907, at(504), 300),
        call_row(907, at(505), "", **{"Call Status": "Unattended Dialled"}),
        call_row(907, at(506), 0, **{"Call Type": "Missed", "Call Status": "Missed"}),
        call_row(907, at(507), 61, **{"Call Type": "Inbound", "Call Status": "Received"}),
        call_row(907, at(508), 61, **{"Call Status": "Scheduled Attended Delay"}),
        call_row(907, at(509), "", **{"Call Status": "Overdue"}),
        call_row(907, at(510), "", **{"Call Status": "Cancelled"}),
        call_row(907, at(511), 61, **{"Call Type": "Ausgehend"}),
    ]


def write_lists(folder: Path, count: int) -> None:
    """The lists of deals and of calls."""
    deals = [*map(of_deal, build_deals(count)), *odd_deals()]
    calls = odd_calls()
    for deal in build_deals(count):
        for activity in deal.activities:
            calls.append(call_row(deal.number, activity.at, activity.seconds))
    write_table(folder / "Deals.csv", deals, list(deals[0]))
    write_table(folder / "Calls.csv", calls, list(calls[0]))


@cache
def export() -> world.Export:
    folder = histories.scratch() / "zoho-export"
    folder.mkdir()
    write_lists(folder, DEALS)
    return world.ingest_folder(folder, PRESET)


def stored(table: str, number: int, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a deal's rows."""
    return export().columns_of(table, id_of(number), *columns)


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_deal_when_ordinary_then_closed_by_its_stage_and_calls_reach_it(number: int) -> None:
    deal = build_deals(DEALS)[number]

    outcomes = [(deal.outcome,)] if deal.closed else []
    assert stored("outcomes", number, "outcome") == outcomes
    assert stored("leads", number, "event_us") == [(local_us(deal.created),)]
    assert len(stored("activities", number, "kind")) == len(deal.activities)
    assert export().rows("stages") == []


def test_call_when_its_contact_has_several_deals_then_counts_for_those_open_then() -> None:
    early, late = local_us(at(12)), local_us(at(35))

    assert stored("activities", 900, "event_us") == [(early,), (late,)]
    assert stored("activities", 901, "event_us") == [(early,)]
    assert stored("activities", 902, "event_us") == [(late,)]


def test_calls_when_of_many_lengths_and_states_then_kinds_say_so() -> None:
    assert stored("activities", 907, "kind", "actor", "outcome", "duration_s") == [
        ("call_attempt", "rep", "not_reached", 9),
        ("brief_call", "rep", "reached", 59),
        ("call", "rep", "reached", 299),
        ("long_call", "rep", "reached", 300),
        ("call_attempt", "rep", "not_reached", None),
        ("missed_call", "lead", "not_reached", None),
        ("call", "lead", "reached", 61),
        ("call", "rep", "reached", 61),
    ]
    assert export().rejected()["allowed"] == {"ausgehend"}
    ignored = export().ingested.accounts.sources["activities"].ignored_by
    assert ignored == {"deleted": 0, "not_done": 1, "cancelled": 1}


def test_keys_when_deals_share_them_then_one_hash() -> None:
    assert export().group_of(id_of(907), "account") == {id_of(907), id_of(902)}
    assert export().group_of(id_of(900), "contact") == {id_of(900), id_of(901), id_of(902)}


def test_deal_when_its_stage_is_unknown_or_its_id_rounded_then_rejected() -> None:
    account = export().ingested.accounts.sources["leads"]

    assert account.rejected == 2
    assert account.ignored_by == {"recorded_afterwards": 1}


def test_close_when_it_has_no_date_then_known_without_one() -> None:
    assert stored("outcomes", 904, "outcome", "amount") == [("won", None)]


def test_ids_when_of_19_digits_then_every_deal_has_its_own() -> None:
    ids = [row["lead_id"] for row in export().rows("leads")]

    assert len(ids) == len(set(ids)) == DEALS + len(odd_deals()) - 3


def test_lists_when_of_the_newer_form_and_american_then_probability_tells_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = world.documented_settings(PRESET).replace('"dmy"', '"mdy"')
    monkeypatch.setattr(world, "documented_settings", lambda _: text)
    deals: list[Row] = []
    for number, chance in ((1, 100), (2, 0), (3, 40)):
        row = {
            "Record Id": f"zcrm_{id_of(number)}",
            "Stage": f"S{chance}",
            "Probability (%)": chance,
        }
        times = {"Created Time": "02/03/2024 03:30 PM", "Closing Date": "05/25/2024"}
        deals.append(row | times | {"Contact Name.id": f"zcrm_{id_of(9)}"})
    call = call_row(0, at(0), 30, CONTACTID=id_of(9), **{"Call Start Time": "02/03/2024 04:00 PM"})
    write_table(tmp_path / "Deals.csv", deals, list(deals[0]))
    write_table(tmp_path / "Calls.csv", [call], list(call))

    newer = world.ingest_folder(tmp_path, PRESET)

    outcomes = {row["lead_id"]: row["outcome"] for row in newer.rows("outcomes")}
    assert outcomes == {id_of(1): "won", id_of(2): "lost"}
    assert len(newer.rows("leads")) == len(newer.rows("activities")) == 3


@pytest.mark.slow
def test_lists_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    write_lists(tmp_path, 500)

    export = world.ingest_folder(tmp_path, PRESET, more=world.QUICK + world.LENIENT)

    world.check_training(export, least_auc=0.6)  # without stages
