"""An Odoo database as CSV files, in two languages, with leads that are odd in a known way."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from presets.world import BEGIN, Activity, Deal, Tables, build_deals, time_text

STAGES = ("Nový", "Kvalifikovaný", "Nabídka", "Jednání")
WON = 9  # ids of stages
FIRST = 1
FIELDS = {
    "stage_id": 501,
    "active": 502,
    "expected_revenue": 503,
    "user_id": 504,
    "partner_id": 505,
}
CALL, MEETING, TODO = 2, 3, 4  # ids of types of activity
NOTE = 2  # id of a subtype of messages
SELLER, ROBOT, OUTSIDER = 30, 2, 77  # people
Row = dict[str, Any]


def at(day: float) -> datetime:
    """A moment so many days after the first."""
    return BEGIN + timedelta(days=day)


class Database(Tables):
    """The rows of the tables."""

    def add_lead(self, lead_id: object, created: datetime, **more: object) -> None:
        """A lead in its first stage."""
        row: Row = {
            "id": lead_id,
            "type": "opportunity",
            "active": "t",
            "probability": 12.5,
            "create_date": time_text(created),
            "date_last_stage_update": time_text(created),
            "stage_id": FIRST,
            "user_id": 5,
            "partner_id": f"8{lead_id}",
            "company_id": 1,
            "expected_revenue": 100.0,
            "date_deadline": "2024-06-30",
            "source_id": 3,
            "function": "Head of Sales",
            # of today: learned from, they would tell the outcome
            "day_close": 12.0,
            "automated_probability": 99.0,
        }
        self.add("crm_lead", **(row | more))

    def post(self, lead_id: object, moment: datetime, kind: str, **more: object) -> int:
        """A message; returns its id."""
        message_id = len(self.tables.get("mail_message", [])) + 1
        row: Row = {
            "id": message_id,
            "model": "crm.lead",
            "res_id": lead_id,
            "date": time_text(moment),
            "message_type": kind,
            "author_id": SELLER,
        }
        self.add("mail_message", **(row | more))
        return message_id

    def change(
        self, lead_id: object, moment: datetime, field: str, values: tuple[object, object]
    ) -> None:
        """A change of a lead, from one value to another, in a message of its own."""
        message_id = self.post(lead_id, moment, "notification")
        column = "float" if field == "expected_revenue" else "integer"
        self.add(
            "mail_tracking_value",
            id=message_id,
            mail_message_id=message_id,
            field_id=FIELDS[field],
            **{f"old_value_{column}": values[0], f"new_value_{column}": values[1]},
            old_value_char="Neu",  # the label in the language of then
            new_value_char="Zrušená fáze" if values[1] == 66 else "Qualifiziert",
        )


def build_database(count: int) -> Database:
    """Leads of the made-up world, and after them the odd ones."""
    database = Database()
    for place, name in enumerate(STAGES):
        text = f'{{"en_US": "{name}", "de_DE": "Phase {place}"}}'
        database.add("crm_stage", id=FIRST + place, name=text, sequence=place, is_won="f")
    database.add("crm_stage", id=WON, name='{"cs_CZ": "Vyhráno"}', sequence=70, is_won="t")
    for name, field_id in FIELDS.items():
        database.add("ir_model_fields", id=field_id, name=name, model="crm.lead")
    _add_small_tables(database)
    for deal in build_deals(count):
        _add_deal(database, deal)
    _add_odd(database)
    _add_messages(database)
    return database


def _add_small_tables(database: Database) -> None:
    database.add("res_company", id=1, currency_id=9)
    database.add("res_company", id=2, currency_id=1)
    database.add("res_currency", id=9, name="CZK")
    database.add("res_currency", id=1, name="EUR")
    database.add("utm_source", id=3, name="Newsletter")
    for person in (71, 72):  # two people of one company
        database.add("res_partner", id=person, commercial_partner_id="90.0")
    database.add("crm_lost_reason", id=4, name='{"en_US": "Too expensive", "cs_CZ": "Drahé"}')
    database.add("mail_activity_type", id=CALL, name='{"en_US": "Hovor"}', category="phonecall")
    database.add("mail_activity_type", id=MEETING, name='{"en_US": "Meeting"}', category="meeting")
    database.add("mail_activity_type", id=TODO, name='{"en_US": "To-Do"}', category="default")
    database.add("mail_message_subtype", id=1, name="Discussions", internal="f")
    database.add("mail_message_subtype", id=NOTE, name="Note", internal="t")
    database.add("res_users", id=5, partner_id=SELLER, share="f")
    database.add("res_users", id=1, partner_id=ROBOT, share="f")
    database.add("res_users", id=6, partner_id=OUTSIDER, share="t")


def _add_deal(database: Database, deal: Deal) -> None:
    moves = [(moment, FIRST + place) for moment, place in deal.entries]
    more: Row = {"stage_id": f"{moves[-1][1]}.0", "expected_revenue": deal.amounts[-1][1]}
    for (_, old), (moment, new) in pairwise(moves):
        database.change(deal.number, moment, "stage_id", (old, new))
    for (_, before), (moment, after) in pairwise(deal.amounts):
        database.change(deal.number, moment, "expected_revenue", (before, after))
    if deal.closed:
        more["date_closed"] = time_text(deal.closed)
    if deal.closed and deal.outcome == "won":
        more |= {"stage_id": WON, "probability": 100.0}
        database.change(deal.number, deal.closed, "stage_id", (moves[-1][1], WON))
    if deal.closed and deal.outcome == "lost":
        more |= {"active": "f", "probability": 0.0, "lost_reason_id": "4.0"}
        database.change(deal.number, deal.closed, "active", (1, 0))
    more["date_last_stage_update"] = time_text(moves[-1][0])
    database.add_lead(deal.number, deal.created, date_deadline=deal.expected_close(), **more)
    for place, activity in enumerate(deal.activities):
        _add_activity(database, f"{deal.number}{place:03}", deal, activity)


def _add_activity(database: Database, meeting_id: str, deal: Deal, activity: Activity) -> None:
    if activity.kind == "meeting":
        start = time_text(activity.at)
        row = {"opportunity_id": f"{deal.number}.0", "start": start, "duration": 0.5}
        database.add("calendar_event", id=meeting_id, active="t", **row)
        return
    record: Row = {}
    if activity.by_person:
        record = {"model": "res.partner", "res_id": f"8{deal.number}"}
    # Odoo knows no seconds; a long call stands for a talk
    is_talk = activity.kind == "call" and activity.seconds >= 10
    if is_talk:
        record |= {"mail_activity_type_id": CALL}
    kind = "notification" if is_talk else "email"
    database.post(deal.number, activity.at, kind, **record)


def _add_odd(database: Database) -> None:
    closed = {"date_closed": time_text(at(60)), "date_last_stage_update": time_text(at(30))}
    database.add_lead("restored", at(10), partner_id=72)
    database.change("restored", at(20), "active", (1, 0))
    database.change("restored", at(40), "active", (0, 1))
    archived = {"active": "f", "stage_id": WON, "probability": 100.0}
    database.add_lead("archived_when_won", at(10), **(closed | archived))
    database.change("archived_when_won", at(30), "stage_id", (FIRST, WON))
    database.change("archived_when_won", at(60), "active", (1, 0))
    database.add_lead("archived", at(10), active="f", probability=12.5, **closed)
    lost = {"active": "f", "probability": 0, "lost_reason_id": 4}
    database.add_lead("not_covered", at(10), stage_id=3, **(closed | lost))
    database.add_lead("by_status", at(10), won_status="won", **closed)
    database.add_lead("gone_stage", at(10), stage_id=2)
    database.change("gone_stage", at(20), "stage_id", (FIRST, 66))
    database.change("gone_stage", at(30), "stage_id", (66, 2))
    converted = {"date_conversion": time_text(at(12)), "company_id": 2, "partner_id": 71}
    database.add_lead("converted", at(10), **converted)
    database.change("converted", at(16), "partner_id", (70, 71))
    database.change("converted", at(15), "user_id", (0, 5))
    database.change("converted", at(5), "stage_id", (2, 3))  # of a lead merged into it


def _add_messages(database: Database) -> None:
    database.add_lead("silent", at(500), partner_id="")
    database.add_lead("messages", at(500))
    database.post("messages", at(501), "email", author_id="")
    database.post("messages", at(502), "comment", author_id=OUTSIDER)
    database.post("messages", at(503), "comment", author_id=f"{SELLER}.0", subtype_id=1)
    database.post("messages", at(504), "comment", subtype_id=NOTE)
    database.post("messages", at(505), "comment", author_id=ROBOT, subtype_id=NOTE)
    database.post("messages", at(506), "notification")
    database.post("messages", at(507), "notification", mail_activity_type_id=f"{TODO}.0")
    database.post("messages", at(508), "notification", mail_activity_type_id=MEETING)
    database.post("messages", at(509), "whatsapp_message")
    booked = {"create_date": time_text(at(501))}
    event = {"opportunity_id": "messages", "duration": 1.25} | booked
    database.add("calendar_event", id=1, start=time_text(at(508)), active="t", **event)
    database.add("calendar_event", id=2, start=time_text(at(510)), active="f", **event)
