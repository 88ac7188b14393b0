"""A Pipedrive company as Airbyte lands it, with the changes of deals, and deals odd in a known way."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from presets.world import BEGIN, Deal, Tables, build_deals, time_text

STAGES = ("Kvalifikace", "Kontakt", "Nabídka", "Jednání")
Row = dict[str, Any]


def at(day: float) -> datetime:
    """A moment so many days after the first."""
    return BEGIN + timedelta(days=day)


class Company(Tables):
    """The rows of the streams."""

    def add_deal(self, lead_id: object, created: datetime, status: str, **more: object) -> None:
        """A deal in its first stage."""
        row: Row = {
            "id": lead_id,
            "add_time": time_text(created),
            "status": status,
            "stage_id": 11,
            "pipeline_id": 1,
            "value": 100,
            "currency": "CZK",
            "user_id": '{"id": 7, "name": "Jana"}',
            "person_id": f'{{"value": 3{lead_id}, "name": "x"}}',
            "stage_change_time": "",
            "expected_close_date": "2024-06-30",
            "deleted": "false",
            # of today: learned from, they would tell the outcome
            "activities_count": 9,
            "local_won_date": "",
        }
        self.add("deals", **(row | more))

    def change(
        self, lead_id: object, moment: datetime, field: str, old: object, new: object
    ) -> None:
        """A change of a deal."""
        self.add(
            "deal_changes",
            id=self.rows,
            item_id=lead_id,
            field_key=field,
            old_value=old,
            new_value=new,
            log_time=time_text(moment),
        )

    def act(self, activity_id: object, moment: datetime, kind: str, **more: object) -> None:
        """An activity that was done."""
        row: Row = {
            "id": activity_id,
            "type": kind,
            "done": "true",
            "due_date": moment.strftime("%Y-%m-%d"),
            "due_time": "09:00",
            "marked_as_done_time": time_text(moment),
            "duration": "00:30",
            "active_flag": "true",
        }
        self.add("activities", **(row | more))


def build_company(count: int) -> Company:
    """Deals of the made-up world, and after them the odd ones."""
    company = Company()
    company.add("pipelines", id=1, name="Prodej")
    company.add("pipelines", id=2, name="Partneři")
    for place, name in enumerate(STAGES):
        company.add("stages", id=11 + place, name=name, order_nr=place, pipeline_id=1)
    company.add("stages", id=21, name=STAGES[0], order_nr=0, pipeline_id=2)
    for deal in build_deals(count):
        _add_deal(company, deal)
    _add_odd(company)
    return company


def _add_deal(company: Company, deal: Deal) -> None:
    moves = [(moment, 11 + place) for moment, place in deal.entries]
    company.add_deal(
        deal.number,
        deal.created,
        deal.outcome or "open",
        stage_id=moves[-1][1],
        stage_change_time=time_text(moves[-1][0]) if len(moves) > 1 else "",
        value=deal.amounts[-1][1],
        # a win's day by the company's clock, and forecasts that nobody keeps
        expected_close_date=deal.expected_close(),
        won_time=time_text(deal.closed) if deal.closed and deal.outcome == "won" else "",
        lost_time=time_text(deal.closed) if deal.closed and deal.outcome == "lost" else "",
    )
    for (_, old), (moment, new) in pairwise(moves):
        company.change(deal.number, moment, "stage_id", old, new)
    for (_, old), (moment, new) in pairwise(deal.amounts):
        company.change(deal.number, moment, "value", old, new)
    if deal.closed:
        company.change(deal.number, deal.closed, "status", "open", deal.outcome)
    for place, activity in enumerate(deal.activities):
        linked = "" if activity.by_person else deal.number
        ids = {"deal_id": linked, "person_id": f"3{deal.number}"}
        # Pipedrive knows no seconds; a long call stands for a talk
        kind = "email" if activity.kind == "call" and activity.seconds < 10 else activity.kind
        company.act(f"{deal.number}{place:03}", activity.at, kind, **ids)


def _add_odd(company: Company) -> None:
    company.add_deal("reopened", at(10), "open", org_id='{"value": 61, "name": "x"}')
    company.change("reopened", at(20), "status", "open", "lost")
    company.change("reopened", at(40), "status", "lost", "open")
    company.add_deal("moved_when_won", at(10), "won", stage_id=13)
    company.change("moved_when_won", at(20), "status", "open", "won")
    company.change("moved_when_won", at(25), "stage_id", 11, 13)
    moved = {"stage_change_time": time_text(at(15)), "stage_id": 13}
    company.add_deal("not_covered", at(10), "lost", lost_time=time_text(at(30)), **moved)
    company.add_deal(
        "partner",
        at(10),
        "open",
        stage_id=21,
        pipeline_id=2,
        currency="EUR",
        org_id=61,
        person_id=55,
    )
    company.add_deal("deleted", at(10), "deleted", deleted="true")
    company.add_deal("odd_status", at(10), "archived")
    person = {"person_id": '{"value": 55, "name": "x"}'}
    company.add_deal("silent", at(500), "open", owner_id=8, org_id=61, **person)
    company.change("silent", at(502), "org_id", 60, 61)
    company.act("999001", at(505), "meeting", deal_id="silent", duration="01:15")
    later = {"deal_id": "silent", "add_time": time_text(at(509))}
    company.act("999008", at(513), "lunch", done="false", marked_as_done_time="", **later)
    company.act("999009", at(511), "call", due_date=at(516).strftime("%Y-%m-%d"), **later)
    company.act("999002", at(506), "task", deal_id="silent", done="false", marked_as_done_time="")
    company.act("999003", at(507), "call", deal_id="silent", active_flag="false")
    company.act("999004", at(508), "deadline", deal_id="silent")
    company.act("999005", at(509), "webinar", deal_id="silent")  # a type of the company's own
    note = {"person_id": "", "add_time": time_text(at(510)), "active_flag": "true"}
    company.add("notes", id=5, deal_id="silent", **note)
