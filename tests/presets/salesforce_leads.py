"""A Salesforce organisation's leads as Data Loader exports them, some odd in a known way."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from presets.salesforce import NOTHING, Organisation, Row, at, record_id
from presets.world import Activity, Deal, build_deals, day_text, time_text

STATUSES = ("New", "Working", "Nurturing", "Qualified")
CONVERTED, LOST = "Closed - Converted", "Unqualified"
CLOSED = {"won": CONVERTED, "lost": LOST}


def lead(name: object) -> str:
    """The id of a lead."""
    return record_id("00Q", name)


def build_leads(count: int) -> Organisation:
    """Leads of the made-up world, and after them the odd ones."""
    organisation = Organisation()
    for status in (*STATUSES, CONVERTED, LOST):
        is_converted = str(status == CONVERTED).lower()
        organisation.add("LeadStatus", MasterLabel=status, IsConverted=is_converted)
    for deal in build_deals(count):
        _add_deal(organisation, deal)
    _add_odd_leads(organisation)
    _add_odd_activities(organisation)
    return organisation


def _add_lead(
    organisation: Organisation, name: object, created: datetime, status: str, **more: object
) -> None:
    row: Row = {
        "Id": lead(name),
        "IsDeleted": "false",
        "Status": status,
        "IsConverted": "false",
        "CreatedDate": created.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "OwnerId": record_id("005", 1),
        "LeadSource": "Web",
        "Company": f" Company {name}",
        "Title": "CFO",
    }
    organisation.add("Lead", **(row | more))


def _converted(name: object, moment: datetime) -> Row:
    """What the row of a lead says of its conversion: a day, and the contact it became."""
    return {
        "IsConverted": "true",
        "ConvertedDate": day_text(moment),
        "ConvertedContactId": record_id("003", name),
    }


def _track(
    organisation: Organisation, name: object, moment: datetime, field: str, old: str, new: str
) -> None:
    """A row of LeadHistory, every second one with an id of 15 characters."""
    organisation.add(
        "LeadHistory",
        LeadId=lead(name)[: 15 if organisation.rows % 2 else 18],
        CreatedDate=time_text(moment),
        Field=field,
        OldValue=old,
        NewValue=new,
        IsDeleted="false",
    )


def _add_deal(organisation: Organisation, deal: Deal) -> None:
    number = deal.number
    status = CLOSED[deal.outcome] if deal.outcome else STATUSES[deal.entries[-1][1]]
    is_won = deal.outcome == "won"
    conversion = _converted(number, deal.closed) if is_won and deal.closed else {}
    owner = record_id("005", deal.owner)
    _add_lead(organisation, number, deal.created, status, OwnerId=owner, **conversion)

    moves = [(moment, STATUSES[place]) for moment, place in deal.entries]
    if deal.outcome and deal.closed:
        moves.append((deal.closed, CLOSED[deal.outcome]))
    _track(organisation, number, deal.created, "created", "", "")
    for (_, before), (moment, after) in pairwise(moves):
        _track(organisation, number, moment, "Status", before, after)
    for place, activity in enumerate(deal.activities):
        _add_activity(organisation, deal, activity, f"{number}x{place}")


def _add_activity(organisation: Organisation, deal: Deal, activity: Activity, name: str) -> None:
    """Salesforce moves the activities of a converted lead to its contact."""
    prefix = "003" if deal.outcome == "won" else "00Q"
    links = {"WhoId": record_id(prefix, deal.number)}
    if activity.kind == "meeting":
        organisation.add_event(name, activity.at, CreatedDate=time_text(activity.at), **links)
        return
    more: Row = {"TaskSubtype": "Email"}
    if activity.kind == "call":
        more = {"TaskSubtype": "Call", "CallDurationInSeconds": activity.seconds}
    organisation.add_task(name, activity.at, "", **more, **links)


def _add_odd_leads(organisation: Organisation) -> None:
    """Leads that an ordinary reading gets wrong; the tests name what is right."""
    # says so, and is not: nothing was converted
    _add_lead(organisation, "says", at(10), CONVERTED)
    _add_lead(organisation, "silent", at(500), "New")
    _add_lead(organisation, "deleted", at(10), "New", IsDeleted="true")
    _add_lead(organisation, "undated", at(10), LOST)

    # the status is not tracked here; the conversion is
    _add_lead(organisation, "untracked", at(10), CONVERTED, **_converted("untracked", at(30)))
    _track(organisation, "untracked", at(30), "leadConverted", "", "")
    _add_lead(organisation, "only_a_day", at(10), CONVERTED, **_converted("only_a_day", at(40)))

    _add_lead(organisation, "reopened", at(10), "Working")
    _track(organisation, "reopened", at(20), "Status", "New", LOST)
    _track(organisation, "reopened", at(40), "Status", LOST, "Working")
    _track(organisation, "silent", at(505), "Owner", "Ann", "Bo")  # of names, and of ids
    ids = (record_id("005", 1), record_id("005", 2))
    _track(organisation, "silent", at(505), "Owner", *ids)


def _add_odd_activities(organisation: Organisation) -> None:
    link = {"WhoId": lead("silent")}
    organisation.add_task("done", at(505), "Call", **link)
    organisation.add_task("due", at(512), "Call back", IsClosed="0", Status="Open", **link)
    # of the contact that a lead became: before the lead, while it was open, and after its conversion
    contact = {"WhoId": record_id("003", "untracked")}
    for name, day in (("early", 5), ("within", 15), ("late", 60)):
        organisation.add_task(name, at(day), "Email: hello", **contact)
    organisation.add_event("invited", at(506), CreatedDate=time_text(at(504)), WhoId=NOTHING)
    organisation.add(
        "EventRelation", EventId=record_id("00U", "invited"), RelationId=lead("silent")
    )
    ahead = time_text(at(530) - timedelta(days=1))
    organisation.add_event("booked", at(900), CreatedDate=ahead, **link)
