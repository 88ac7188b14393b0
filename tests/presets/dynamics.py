"""A Dynamics organisation as files of its tables, with opportunities that are odd in a known way."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
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

STAGES = ("Kvalifikace", "Rozvoj", "Nabídka", "Uzavření")
STATES = {None: 0, "won": 1, "lost": 2}
CALL, APPOINTMENT, EMAIL, TASK = 4210, 4201, 4202, 4212
Row = dict[str, Any]


def at(day: float) -> datetime:
    """A moment so many days after the first."""
    return BEGIN + timedelta(days=day)


def id_of(name: object) -> str:
    """A GUID that says what it is of."""
    text = str(name).encode().hex().ljust(24, "0")[:24]
    return f"0b5e{text[:4]}-{text[4:8]}-4{text[8:11]}-8{text[11:14]}-{text[12:24]}"


def other_spelling(guid: str) -> str:
    """The same GUID in braces and capitals."""
    return "{" + guid.upper() + "}"


class Organisation(Tables):
    """The rows of the tables."""

    def add_opportunity(self, name: object, created: datetime, **more: object) -> None:
        """An opportunity in its first stage."""
        row: Row = {
            "opportunityid": id_of(name),
            "createdon": time_text(created),
            "statecode": 0,
            "statuscode": 1,
            "salesstage": "0.0",
            "estimatedvalue": "100.00",
            "estimatedclosedate": "2024-06-30",
            "transactioncurrencyid": id_of("EUR"),
            "ownerid": id_of("owner"),
            "parentcontactid": id_of(f"contact {name}"),
            "customerid": id_of("account"),
            # of today, inverted or never touched: learned from, they would mislead
            "actualvalue": "",
            "confirminterest": 0,
            "evaluatefit": 0,
            "msdyn_forecastcategory": 100000001,
            "decisionmaker": 0,
        }
        self.add("opportunity", **(row | more))

    def change(self, name: object, moment: datetime, field: str, old: object) -> None:
        """A change of a field, of which the audit has the old value."""
        guid = other_spelling(id_of(name))
        row = {"objectid": guid, "createdon": time_text(moment), "fieldname": field}
        self.add("audit_changes", **row, oldvalue=old)

    def act(self, name: object, moment: datetime, code: object, **more: object) -> None:
        """An activity that was completed."""
        row: Row = {
            "activityid": id_of(name),
            "activitytypecode": code,
            "statecode": 1,
            "createdon": time_text(moment - timedelta(minutes=1)),
            "scheduledend": "2030-01-01 00:00:00" if code == TASK else time_text(moment),
            "actualend": time_text(moment),
        }
        self.add("activitypointer", **(row | more))


def build_organisation(count: int) -> Organisation:
    """Opportunities of the made-up world, and after them the odd ones."""
    organisation = Organisation()
    organisation.add(
        "transactioncurrency", transactioncurrencyid=id_of("EUR"), isocurrencycode="EUR"
    )
    for place, name in enumerate(STAGES):
        _add_label(organisation, "salesstage", place, name)
        _add_label(organisation, "salesstage", place, f"Phase {place}", langid=1031)
    _add_label(organisation, "need", 0, "Nutnost")
    _add_label(organisation, "statuscode", 6, "Bez rozpočtu")
    for deal in build_deals(count):
        _add_deal(organisation, deal)
    _add_odd(organisation)
    _add_activities(organisation)
    return organisation


def _add_label(
    organisation: Organisation, attribute: str, code: int, label: str, *, langid: int = 1029
) -> None:
    row = {"objecttypecode": "opportunity", "attributename": attribute, "langid": langid}
    organisation.add("stringmap", **row, attributevalue=code, value=label)


def _add_deal(organisation: Organisation, deal: Deal) -> None:
    number = deal.number
    for (_, old), (moment, _) in pairwise(deal.entries):
        organisation.change(number, moment, "salesstage", old)
    for (_, value), (moment, _) in pairwise(deal.amounts):
        organisation.change(number, moment, "estimatedvalue", value)
    more: Row = {
        "statecode": STATES[deal.outcome],
        "salesstage": deal.entries[-1][1],
        "estimatedvalue": deal.amounts[-1][1],
        "estimatedclosedate": deal.expected_close(),
    }
    if deal.closed:
        organisation.change(number, deal.closed, "statecode", 0)
        more |= {"actualclosedate": f"{day_text(deal.closed)} 00:00:00"}
    organisation.add_opportunity(number, deal.created, **more)
    organisation.add("contact", contactid=id_of(f"contact {number}"), jobtitle="Head of Sales")
    for place, activity in enumerate(deal.activities):
        _add_activity(organisation, f"{number}/{place}", number, activity)


def _add_activity(organisation: Organisation, name: str, number: int, activity: Activity) -> None:
    code = {"call": CALL, "meeting": APPOINTMENT, "email": EMAIL}[activity.kind]
    about = id_of(f"contact {number}" if activity.by_person else number)
    more: Row = {"regardingobjectid": other_spelling(about)}
    if activity.kind == "call":
        is_short = activity.seconds < 10
        ids = {"activityid": id_of(name), "directioncode": "true"}
        organisation.add("phonecall", **ids, leftvoicemail="true" if is_short else "false")
    organisation.act(name, activity.at, code, **more)


def _add_odd(organisation: Organisation) -> None:
    # the audit has been on since day 0, as the changes of this one show
    keys = {"parentaccountid": id_of("new account"), "parentcontactid": id_of("own contact")}
    answers = {"need": 0, "purchasetimeframe": 4, "budgetstatus": 3}
    organisation.add_opportunity("first", at(0), **answers, **keys)
    organisation.change("first", at(0.01), "parentaccountid", "")
    organisation.change("first", at(7), "parentaccountid", f"account,{id_of('old account')}")
    for field, old in (("salesstage", 0), ("estimatedvalue", 50), ("need", 3), ("ownerid", "")):
        organisation.change("first", at(0.01), field, old)
    organisation.change("first", at(5), "need", 2)
    organisation.change("first", at(6), "decisionmaker", 1)

    organisation.add_opportunity("reopened", at(10), salesstage=1)
    organisation.change("reopened", at(15), "salesstage", 0)
    organisation.change("reopened", at(20), "statecode", 0)
    organisation.change("reopened", at(40), "statecode", 2)
    closed = {"actualclosedate": "2024-03-01", "statecode": 2, "statuscode": 6}
    account = {"parentaccountid": other_spelling(id_of("own account"))}
    organisation.add_opportunity("by_day", at(10), **closed, **account)
    organisation.add_opportunity("by_row", at(10), **(closed | {"statecode": "Won"}))
    close = {"opportunityid": other_spelling(id_of("by_row")), "actualend": "2024-03-01"}
    organisation.add("opportunityclose", **close, createdon=time_text(at(62)))
    migrated = {"overriddencreatedon": time_text(at(30))}
    organisation.add_opportunity("migrated", at(10), **migrated)
    organisation.add_opportunity("deleted", at(10), IsDelete="True")
    organisation.add_opportunity("odd_state", at(10), statecode="Otevřeno")


def _add_activities(organisation: Organisation) -> None:
    organisation.add("contact", contactid=id_of("own contact"))
    customer = {"customerid": other_spelling(id_of("own contact")), "parentcontactid": ""}
    organisation.add_opportunity("silent", at(500), **customer)
    organisation.add_opportunity("acts", at(500), customerid=id_of("own account"))
    about: Row = {"regardingobjectid": id_of("acts")}
    organisation.act("a1", at(501), EMAIL, **about)
    organisation.add("email", activityid=id_of("a1"), directioncode="false")
    organisation.act("a2", at(502), "Phone Call", **about, actualdurationminutes=15)
    organisation.act("a3", at(503), TASK, **(about | {"statecode": 0}))
    organisation.act("a4", at(504), f"{APPOINTMENT}.0", **(about | {"statecode": 2}))
    organisation.act("a5", at(505), "opportunityclose", **about)
    organisation.act("a6", at(506), "new_webinar", **about)
    organisation.act("a7", at(507), TASK, **about, IsDelete="True")
    organisation.act("a8", at(508), "letter", regardingobjectid=id_of("own account"))
    organisation.act("a9", at(509), "fax", regardingobjectid="")
    organisation.add("activityparty", activityid=id_of("a9"), partyid=id_of("contact acts"))
    # many opportunities of this account were open then
    organisation.act("a10", at(510), "letter", regardingobjectid=id_of("account"))
