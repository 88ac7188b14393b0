"""A Dynamics organisation's leads, some odd in a known way."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from presets.dynamics import (
    APPOINTMENT,
    CALL,
    EMAIL,
    TASK,
    Organisation,
    Row,
    at,
    id_of,
    other_spelling,
)
from presets.world import Deal, build_deals, time_text

STAGES = ("Nový", "Osloven", "Schůzka", "Nabídka")
CODES = (1, 2, 100000001, 100000002)  # of two standard statuses, and two of the organisation's own
STATES = {None: 0, "won": 1, "lost": 2}
REASONS = {"won": 3, "lost": 4}
ACTIVITIES = {"call": CALL, "meeting": APPOINTMENT, "email": EMAIL}


def build_leads(count: int) -> Organisation:
    """Leads of the made-up world, and after them the odd ones."""
    organisation = Organisation()
    for code, label in zip(CODES, STAGES, strict=True):
        row = {"objecttypecode": "lead", "attributename": "statuscode", "langid": 1029}
        organisation.add("stringmap", **row, attributevalue=code, value=label)
    organisation.add(
        "transactioncurrency", transactioncurrencyid=id_of("EUR"), isocurrencycode="EUR"
    )
    for deal in build_deals(count):
        _add_deal(organisation, deal)
    _add_odd(organisation)
    return organisation


def _add_lead(organisation: Organisation, name: object, created: datetime, **more: object) -> None:
    row: Row = {
        "leadid": id_of(name),
        "createdon": time_text(created),
        "statecode": 0,
        "statuscode": 1,
        "estimatedamount": "100.00",
        "transactioncurrencyid": id_of("EUR"),
        "ownerid": id_of("owner"),
        "companyname": f" Company {name}",
        "jobtitle": "Director",
        "leadsourcecode": "8.0",
        "leadqualitycode": 1,
        # inverted: a form that nobody touched reads as all-yes
        "confirminterest": 0,
        "decisionmaker": 0,
    }
    organisation.add("lead", **(row | more))


def _qualify(organisation: Organisation, name: object, moment: datetime) -> None:
    """The opportunity that a lead became."""
    links = {"originatingleadid": other_spelling(id_of(name))}
    row = {"opportunityid": id_of(f"of {name}"), "createdon": time_text(moment)}
    organisation.add("opportunity", **row, **links)


def _add_deal(organisation: Organisation, deal: Deal) -> None:
    number = deal.number
    for (_, old), (moment, _) in pairwise(deal.entries):
        organisation.change(number, moment, "statuscode", CODES[old])
    more: Row = {"statecode": STATES[deal.outcome], "statuscode": CODES[deal.entries[-1][1]]}
    if deal.outcome and deal.closed:
        organisation.change(number, deal.closed, "statecode", 0)
        organisation.change(number, deal.closed, "statuscode", more["statuscode"])
        more["statuscode"] = REASONS[deal.outcome]
    _add_lead(organisation, number, deal.created, **more)
    for place, activity in enumerate(deal.activities):
        about = {"regardingobjectid": other_spelling(id_of(number))}
        name = f"{number}/{place}"
        if activity.kind == "call" and activity.seconds < 10:
            ids = {"activityid": id_of(name), "directioncode": "true"}
            organisation.add("phonecall", **ids, leftvoicemail="true")
        organisation.act(name, activity.at, ACTIVITIES[activity.kind], **about)


def _add_odd(organisation: Organisation) -> None:
    """Leads that an ordinary reading gets wrong; the tests name what is right."""
    organisation.change("first", at(0.01), "statuscode", 1)  # since when there is an audit
    _add_lead(organisation, "first", at(0), statuscode=2, need=0, budgetstatus=3)

    qualified = {"statecode": "Qualified", "statuscode": 3}
    _add_lead(organisation, "by_opportunity", at(10), **(qualified | {"statecode": 1}))
    _qualify(organisation, "by_opportunity", at(30))
    _add_lead(organisation, "odd_state", at(10), **qualified)
    _add_lead(organisation, "undated", at(10), statecode=2, statuscode=5)
    _add_lead(organisation, "reopened", at(10), statuscode=2)
    for day, state, status in ((20, 0, 1), (40, 2, 6)):
        organisation.change("reopened", at(day), "statecode", state)
        organisation.change("reopened", at(day), "statuscode", status)
    _add_lead(organisation, "deleted", at(10), IsDelete="True")
    _add_lead(organisation, "silent", at(500), companyname="company FIRST")
    about = {"regardingobjectid": id_of("silent")}
    organisation.act("done", at(501), "Phone Call", **about)
    organisation.act("due", at(503), TASK, **(about | {"statecode": 0}))
