"""A Zoho organisation with its history of stages: as the API gives it, and as Fivetran lands it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from presets.world import BEGIN, Deal, build_deals, day_text, time_text, write_table

STAGES = ("Erstgespräch", "Angebot", "Verhandlung", "Vertrag")
CLOSED = {"won": "Payment Done", "lost": "Lost"}
ZONE = timezone(timedelta(hours=3))
LINKS = {"Owner", "Contact_Name", "Account_Name", "Who_Id", "What_Id"}
Row = dict[str, Any]


def at(day: float) -> datetime:
    """A moment so many days after the first."""
    return BEGIN + timedelta(days=day)


def id_of(number: int) -> str:
    """An id of 19 digits; as a number it would be rounded."""
    return f"{4567890000000000000 + number}"


def api_time(moment: datetime) -> str:
    """A moment as the API gives it, in the zone of the organisation."""
    return moment.astimezone(ZONE).isoformat()


class Records:
    """The records of the modules, by their API names."""

    def __init__(self) -> None:
        self.deals: list[Row] = []
        self.history: list[Row] = []
        self.calls: list[Row] = []

    def add_deal(self, number: int, created: datetime, stage: str, **more: object) -> None:
        """A deal in a stage."""
        row: Row = {
            "id": id_of(number),
            "Created_Time": api_time(created),
            "Stage": stage,
            "Closing_Date": day_text(created + timedelta(days=90)),  # a forecast
            "Amount": 100,
            "Currency": "EUR",
            "Owner": {"id": id_of(1), "name": "Jana"},
            "Contact_Name": {"id": id_of(number + 10000), "name": "x"},
            "Account_Name": {"id": id_of(number + 20000), "name": "x"},
            # learned from, it would tell the outcome
            "Overall_Sales_Duration": 12,
        }
        self.deals.append(row | more)

    def enter(self, number: int, moment: datetime, stage: str) -> None:
        """A row of the history of stages."""
        row = {"Deal_Id": id_of(number), "Stage": stage, "Modified_Time": api_time(moment)}
        self.history.append(row)

    def call(self, number: int, moment: datetime, seconds: int, **more: object) -> None:
        """A call with the contact of a deal."""
        row: Row = {
            "id": id_of(30000 + len(self.calls)),
            "Call_Start_Time": api_time(moment),
            "Call_Type": "Outbound",
            "Call_Duration_in_seconds": seconds,
            "Who_Id": {"id": id_of(number + 10000)},
            "What_Id": None,
        }
        self.calls.append(row | more)

    def write_json_lines(self, folder: Path) -> None:
        """What the API gives."""
        names = {"Deals": self.deals, "Stage_History": self.history, "Calls": self.calls}
        for name, rows in names.items():
            lines = [json.dumps(row) for row in rows]
            (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")

    def write_bulk_files(self, folder: Path) -> None:
        """What the bulk read gives: CSV, with ids in place of objects."""
        names = {"Deals": self.deals, "Stage_History": self.history, "Calls": self.calls}
        for name, rows in names.items():
            flat = [{key: _id(value) for key, value in row.items()} for row in rows]
            write_table(folder / f"{name}.csv", flat, list(flat[0]))

    def write_fivetran_tables(self, folder: Path) -> None:
        """Tables of snake_case, with times in UTC that state no zone."""
        names = {"deal": self.deals, "deal_stage_history": self.history, "call": self.calls}
        for name, rows in names.items():
            flat = [_landed(row) for row in rows]
            write_table(folder / f"{name}.csv", flat, list(flat[0]))


def _id(value: object) -> object:
    return value["id"] if isinstance(value, dict) else value


def _landed(row: Row) -> Row:
    landed: Row = {"_fivetran_deleted": "false"}
    for name, value in row.items():
        column = f"{name.lower()}_id" if name in LINKS else name.lower()
        is_time = name.endswith("_Time")
        moment = datetime.fromisoformat(str(value)).astimezone(BEGIN.tzinfo) if is_time else None
        landed[column] = time_text(moment) if moment else _id(value)
    return landed


def build_records(count: int) -> Records:
    """Deals of the made-up world, and after them the odd ones."""
    records = Records()
    for deal in build_deals(count):
        _add_deal(records, deal)
    _add_odd(records)
    return records


def _add_deal(records: Records, deal: Deal) -> None:
    number = deal.number
    stage = CLOSED[deal.outcome] if deal.outcome else STAGES[deal.entries[-1][1]]
    records.add_deal(number, deal.created, stage, Amount=deal.amounts[-1][1])
    for moment, place in deal.entries:
        records.enter(number, moment, STAGES[place])
    if deal.outcome and deal.closed:
        records.enter(number, deal.closed, CLOSED[deal.outcome])
    for activity in deal.activities:
        records.call(number, activity.at, activity.seconds)


def _add_odd(records: Records) -> None:
    """Deals that an ordinary reading gets wrong; the tests name what is right."""
    records.add_deal(900, at(10), STAGES[1])  # lost, and opened again
    for day, stage in ((10, STAGES[0]), (20, "Lost"), (40, STAGES[1]), (45, STAGES[1])):
        records.enter(900, at(day), stage)
    records.add_deal(901, at(10), "Lost", Closing_Date=day_text(at(30)))  # without a history
    records.add_deal(902, at(500), STAGES[0])
    records.enter(902, at(500), STAGES[0])
    records.add_deal(903, at(10), "Lost")  # its calls reach it while it was open
    records.enter(903, at(10), STAGES[0])
    records.enter(903, at(20), "Lost")
    records.call(903, at(15), 30)
    records.call(903, at(25), 30)
    records.call(900, at(30), 30, What_Id={"id": id_of(902)})  # of another deal, by name
    records.call(902, at(501), 400, Call_Type="Inbound")
