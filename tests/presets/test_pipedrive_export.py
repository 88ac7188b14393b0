"""Pipedrive's own lists: closes by their stamps, and no stage that tells what came later."""

from functools import cache
from pathlib import Path

import pytest

import histories
from presets import world
from presets.world import build_deals, time_text, write_table

DEALS = 40
PRESET = "pipedrive"


def write_lists(folder: Path, count: int) -> None:
    """The lists of deals and of activities."""
    deals, activities = [], []
    for deal in build_deals(count):
        row = {
            "Deal - ID": deal.number,
            "Deal - Status": (deal.outcome or "open").capitalize(),
            "Deal - Deal created": time_text(deal.created),
            "Deal - Stage": f"Stage {deal.entries[-1][1]}",
            "Deal - Value": f"{deal.amounts[-1][1]}",
            "Deal - Currency of value": "CZK",
            "Deal - Contact person": f"Person {deal.number}",
            "Deal - Organization": f"Firma {deal.number % 10}",
            "Deal - Total activities": len(deal.activities),
            "Deal - Expected close date": deal.expected_close(),
        }
        if deal.closed:
            row[f"Deal - {str(deal.outcome).capitalize()} time"] = time_text(deal.closed)
        deals.append(row)
        for place, activity in enumerate(deal.activities):
            is_short = activity.kind == "call" and activity.seconds < 10
            activities.append(
                {
                    "Activity - ID": f"{deal.number}-{place}",
                    "Activity - Type": ("email" if is_short else activity.kind).capitalize(),
                    "Activity - Done": "Done",
                    "Activity - Marked as done time": time_text(activity.at),
                    "Deal - ID": "" if activity.by_person else deal.number,
                    "Person - Name": f"Person {deal.number}",
                }
            )
    deals.append({"Deal - ID": "odd", "Deal - Status": "Otevřeno"})
    todo = {"Activity - Type": "Call", "Activity - Done": "To do", "Deal - ID": 0}
    activities.append(todo | {"Activity - Due date": "2024-06-30"})
    for name, rows in (("deals", deals), ("activities", activities)):
        columns = list(dict.fromkeys(column for row in rows for column in row))
        write_table(folder / f"{name}.csv", rows, columns)


@cache
def export() -> world.Export:
    folder = histories.scratch() / "pipedrive-export"
    folder.mkdir()
    write_lists(folder, DEALS)
    return world.ingest_folder(folder, PRESET)


def local_us(moment: str) -> int:
    return world.parse_moment(moment, zone="Europe/Prague")


@pytest.mark.parametrize("number", range(0, DEALS, 5))
def test_deal_when_ordinary_then_closes_by_its_stamp(number: int) -> None:
    deal = build_deals(DEALS)[number]

    closes = export().of_lead("outcomes", str(number))

    closed = [(local_us(time_text(deal.closed)), deal.outcome)] if deal.closed else []
    assert [(row["event_us"], row["outcome"]) for row in closes] == closed
    assert len(export().of_lead("activities", str(number))) == len(deal.activities)
    assert export().rows("stages") == []


def test_deal_when_its_status_is_in_another_language_then_rejected() -> None:
    accounts = export().ingested.accounts.sources

    assert accounts["leads"].rejected == 1
    assert accounts["activities"].ignored_by == {"not_done": 1}


def test_keys_when_they_are_names_then_hashes_of_them_are_stored() -> None:
    assert export().group_of("3", "account") == {"3", "13", "23", "33"}
    assert export().group_of("3", "contact") == {"3"}


@pytest.mark.slow
def test_lists_when_trained_then_open_deals_have_scores(tmp_path: Path) -> None:
    write_lists(tmp_path, 500)

    export = world.ingest_folder(tmp_path, PRESET, more=world.QUICK)

    world.check_training(export, least_auc=0.6)  # without stages and lengths of calls
