"""A Salesforce organisation as its weekly Data Export has it, with opportunities odd in a known way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from presets.world import (
    BEGIN,
    Activity,
    Deal,
    Tables,
    build_deals,
    day_text,
    time_text,
)

STAGES = ("Prospección", "Calificación", "Propuesta", "Negociación")
WON, LOST = "Active", "Cerrada perdida"  # closed and won, whatever its name says
CLOSED = {"won": WON, "lost": LOST}
NOTHING = "000000000000000AAA"
Row = dict[str, Any]


def record_id(prefix: str, name: object) -> str:
    """An id of 18 characters; what the last three say is never needed."""
    return f"{prefix}5g{name:0>10}AAQ"


def opportunity(name: object) -> str:
    """The id of an opportunity."""
    return record_id("006", name)


def at(day: float) -> datetime:
    """A moment so many days after the first."""
    return BEGIN + timedelta(days=day)


class Organisation(Tables):
    """The rows of the exported objects."""

    def add_opportunity(self, name: object, created: datetime, stage: str, **more: object) -> None:
        """An opportunity in a stage."""
        row: Row = {
            "Id": opportunity(name),
            "IsDeleted": "0",
            "AccountId": record_id("001", name),
            "StageName": stage,
            "IsClosed": "1" if stage in CLOSED.values() else "0",
            "IsWon": "1" if stage == WON else "0",
            "CloseDate": f"{day_text(created + timedelta(days=90))} 00:00:00",
            "CreatedDate": time_text(created),
            "ContactId": NOTHING,
            "LeadSource": "Web",
            "OwnerId": record_id("005", 1),
            "CurrencyIsoCode": "MXN",
        }
        self.add("Opportunity", **(row | more))

    def log(self, name: object, moment: datetime, stage: str, **more: object) -> None:
        """A row of OpportunityHistory, every second one with an id of 15 characters."""
        row: Row = {
            "Id": record_id("008", self.rows),
            "OpportunityId": opportunity(name)[: 15 if self.rows % 2 else 18],
            "CreatedDate": time_text(moment),
            "StageName": stage,
            "IsDeleted": "0",
        }
        self.add("OpportunityHistory", **(row | more))

    def track(self, name: object, moment: datetime, field: str, old: str, new: str) -> None:
        """A row of OpportunityFieldHistory."""
        self.add(
            "OpportunityFieldHistory",
            Id=record_id("017", self.rows),
            OpportunityId=opportunity(name),
            CreatedDate=time_text(moment),
            Field=field,
            OldValue=old,
            NewValue=new,
            IsDeleted="0",
        )

    def add_task(self, name: object, moment: datetime, subject: str, **more: object) -> None:
        """A task that was done."""
        row: Row = {
            "Id": record_id("00T", name),
            "IsDeleted": "0",
            "WhoId": NOTHING,
            "WhatId": NOTHING,
            "Subject": subject,
            "Status": "Completada",
            "IsClosed": "1",
            "ActivityDate": f"{day_text(moment)} 00:00:00",
            "CreatedDate": time_text(moment),
            "CompletedDateTime": time_text(moment),
        }
        self.add("Task", **(row | more))

    def add_event(self, name: object, moment: datetime, **more: object) -> None:
        """A meeting of half an hour."""
        row: Row = {
            "Id": record_id("00U", name),
            "IsDeleted": "0",
            "IsChild": "0",
            "IsRecurrence": "0",
            "WhoId": NOTHING,
            "WhatId": NOTHING,
            "ActivityDateTime": time_text(moment),
            "DurationInMinutes": 30,
        }
        self.add("Event", **(row | more))


def build_organisation(count: int) -> Organisation:
    """Opportunities of the made-up world, and after them the odd ones."""
    organisation = Organisation()
    for deal in build_deals(count):
        _add_deal(organisation, deal)
    _add_odd_opportunities(organisation)
    _add_odd_history(organisation)
    _add_odd_activities(organisation)
    return organisation


def _add_deal(organisation: Organisation, deal: Deal) -> None:
    number = deal.number
    stage = CLOSED[deal.outcome] if deal.outcome else STAGES[deal.entries[-1][1]]
    close_date = f"{deal.expected_close()} 00:00:00"
    organisation.add_opportunity(
        number,
        deal.created,
        stage,
        Amount=f"{deal.amounts[-1][1]}.0",
        CloseDate=close_date,
        OwnerId=record_id("005", deal.owner),
    )
    moves = [(moment, STAGES[place]) for moment, place in deal.entries]
    if deal.outcome and deal.closed:
        moves.append((deal.closed, CLOSED[deal.outcome]))
    rows = [(moment, moved) for moment, moved in moves]
    rows += [(moment, "") for moment, _ in deal.amounts[1:]]
    current = ""
    for moment, moved in sorted(rows):  # a row holds all values, whichever of them changed
        current = moved or current
        amount = [amount for changed, amount in deal.amounts if changed <= moment][-1]
        forecast = {WON: "Closed", LOST: "Omitted"}.get(current, "Pipeline")
        values = {"Amount": f"{amount}.0", "ForecastCategory": forecast, "CloseDate": close_date}
        organisation.log(number, moment, current, **values)

    contact = record_id("003", number)
    title = ("Directora financiera", "CFO", "")[number % 3]
    account = record_id("001", number)
    organisation.add("Contact", Id=contact, AccountId=account, Title=title)
    organisation.add(
        "OpportunityContactRole",
        OpportunityId=opportunity(number),
        ContactId=contact,
        IsDeleted="0",
        IsPrimary="0",
    )
    for place, activity in enumerate(deal.activities):
        _add_activity(organisation, deal, activity, f"{number}x{place}")


def _add_activity(organisation: Organisation, deal: Deal, activity: Activity, name: str) -> None:
    whom: Row = {"WhoId": record_id("003", deal.number)}
    if not activity.by_person:
        whom["WhatId"] = opportunity(deal.number)[:15]
    if activity.kind == "meeting":
        organisation.add_event(name, activity.at, **whom)
    elif activity.kind == "call":
        seconds = {"CallDurationInSeconds": activity.seconds, "TaskSubtype": "Call"}
        organisation.add_task(name, activity.at, "Seguimiento", **whom, **seconds)
    else:
        organisation.add_task(name, activity.at, "Email: propuesta", **whom)


def _add_odd_opportunities(organisation: Organisation) -> None:
    organisation.add_opportunity("reopened", at(10), STAGES[1])
    for day, stage in ((10, STAGES[0]), (20, LOST), (40, STAGES[1])):
        organisation.log("reopened", at(day), stage)

    # amount corrected after the win: no second close
    own = {"AccountId": record_id("001", "silent")[:15], "ContactId": record_id("003", "guest")}
    organisation.add_opportunity("corrected", at(10), WON, **own)
    for day, stage, amount in ((10, STAGES[0], 100), (20, WON, 100), (25, WON, 250)):
        organisation.log("corrected", at(day), stage, Amount=amount)

    # two moves within one second, in the order of their ids
    organisation.add_opportunity("tie", at(10), LOST)
    for stage in (STAGES[0], STAGES[2], STAGES[1]):
        organisation.log("tie", at(10), stage)
    organisation.log("tie", at(30), LOST)

    stamp = {"LastStageChangeDate": time_text(at(30))}
    organisation.add_opportunity("stamped", at(10), LOST, **stamp)
    organisation.add_opportunity("dated", at(10), LOST, CloseDate=f"{day_text(at(50))} 00:00:00")
    organisation.add_opportunity("deleted", at(10), STAGES[0], IsDeleted="1")
    organisation.log("deleted", at(10), STAGES[0])
    organisation.add_opportunity("old_stage", at(10), STAGES[0])
    organisation.log("old_stage", at(10), "Piloto")
    organisation.log("old_stage", at(12), STAGES[0])
    organisation.add_opportunity("silent", at(500), STAGES[0])
    organisation.log("silent", at(500), STAGES[0])


def _add_odd_history(organisation: Organisation) -> None:
    rep, other = record_id("005", 1), record_id("005", 2)
    organisation.track("stamped", at(5), "LeadSource", "Fair", "Web")  # tracked since then
    organisation.track("stamped", at(5), "Owner", rep, other)
    organisation.add_opportunity("handed", at(10), STAGES[0], OwnerId=other, LeadSource="Partner")
    organisation.log("handed", at(10), STAGES[0])
    organisation.track("handed", at(20), "Owner", "Ana Ruiz", "Luis Gil")
    organisation.track("handed", at(20), "Owner", rep, other)
    organisation.track("handed", at(21), "LeadSource", "Web", "Partner")
    organisation.track("handed", at(22), "Description", "", "")
    accounts = [record_id("001", name) for name in ("old", "handed")]
    organisation.track("stamped", at(5), "Account", *accounts)
    organisation.track("handed", at(23), "Account", "Zebrafink", "Ameisenigel")
    organisation.track("handed", at(23), "Account", *accounts)

    # without rows in OpportunityHistory
    organisation.add_opportunity("by_fields", at(10), WON)
    organisation.track("by_fields", at(8), "StageName", "", "")
    organisation.track("stamped", at(4), "StageName", STAGES[0], STAGES[1])
    organisation.track("by_fields", at(20), "StageName", STAGES[0], STAGES[2])
    organisation.track("by_fields", at(30), "StageName", STAGES[2], WON)


def _add_odd_activities(organisation: Organisation) -> None:
    own = {"WhatId": opportunity("silent")}
    organisation.add_task("call", at(501), "Call", **own)
    organisation.add_task("mail", at(502), "Email: oferta", **own)
    organisation.add_task("list", at(503), "Email de lista", TaskSubtype="ListEmail", **own)
    organisation.add_task(
        "todo", at(504), "Seguimiento", CompletedDateTime=time_text(at(506)), **own
    )
    organisation.add_task("open", at(505), "Seguimiento", IsClosed="0", Status="Abierta", **own)
    undated = {"IsClosed": "0", "Status": "Abierta", "ActivityDate": ""}
    organisation.add_task("undated", at(505), "Seguimiento", **undated, **own)
    organisation.add_task("gone", at(505), "Call", IsDeleted="1", **own)
    missed = {"TaskSubtype": "Call", "CallDisposition": "Left Voicemail"}
    organisation.add_task("missed", at(507), "Seguimiento", **own, **missed)
    organisation.add_task("inward", at(508), "Call", CallType="Inbound", **own)
    organisation.add_event("copy", at(509), IsChild="1", **own)
    organisation.add_event("series", at(509), IsRecurrence="1", **own)
    organisation.add_event("ahead", at(900), CreatedDate=time_text(at(520)), **own)
    # of the account only, which has one open opportunity, and two later on
    organisation.add_task("account", at(510), "Call", WhatId=record_id("001", "silent"))
    account = {"AccountId": record_id("001", "silent")}
    organisation.add_opportunity("second", at(520), STAGES[0], **account)
    organisation.log("second", at(520), STAGES[0])
    organisation.add_task("unclear", at(525), "Call", WhatId=record_id("001", "silent"))
    # of a second person, by a relation
    role = {"OpportunityId": opportunity("silent"), "ContactId": record_id("003", "guest")}
    organisation.add("OpportunityContactRole", IsDeleted="0", IsPrimary="1", **role)
    organisation.add_event("guest", at(511))
    relation = {"EventId": record_id("00U", "guest"), "RelationId": record_id("003", "guest")}
    organisation.add("EventRelation", IsDeleted="0", **relation)
