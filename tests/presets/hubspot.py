"""A HubSpot account as Fivetran lands it, and the deals in it that are odd in a known way."""

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

CONNECTED = "f240bbac-87c9-4f6e-bf70-924b57d47db7"
NO_ANSWER = "73a0d17f-1163-4015-bdd5-ec830791da20"
STAGE_IDS = ("appointmentscheduled", "qualifiedtobuy", "92814402", "contractsent")
LABELS = ("Erstgespräch", "Qualifiziert", "Angebot", "Vertrag")
CLOSED = {"won": "closedwon", "lost": "closedlost"}
Row = dict[str, Any]


def deal_id(number: int) -> str:
    """The id of a deal of the made-up world."""
    return str(19_000_000_000 + number)


class Account(Tables):
    """The rows of Fivetran's tables."""

    def add_deal(self, lead_id: str, created: datetime, stage: str, **more: object) -> None:
        """A deal in a stage."""
        row = {
            "deal_id": lead_id,
            "is_deleted": "false",
            "deal_pipeline_id": "default",
            "deal_pipeline_stage_id": stage,
            "property_createdate": time_text(created),
            "property_hs_createdate": time_text(created),
            "property_closedate": time_text(created + timedelta(days=90)),
            "property_hs_object_source_label": "CRM_UI",
        }
        self.add("deal", **(row | more))

    def enter(self, lead_id: str, at: datetime, stage: str) -> None:
        """The entry of a deal into a stage."""
        self.add("deal_stage", deal_id=lead_id, value=stage, date_entered=time_text(at))

    def change(self, lead_id: str, at: datetime, name: str, value: object) -> None:
        """A value that a property of a deal took."""
        self.add(
            "deal_property_history",
            deal_id=lead_id,
            name=name,
            value=value,
            timestamp=time_text(at),
            source="CRM_UI",
        )

    def link(self, kind: str, engagement_id: str, deal: str | None, person: str | None) -> None:
        """What an engagement is associated with."""
        ids = {"engagement_id": engagement_id, "engagement_type": kind}
        if deal is not None:
            self.add("engagement_deal", deal_id=deal, **ids)
        if person is not None:
            self.add("engagement_contact", contact_id=person, **ids)

    def engage(
        self,
        kind: str,
        engagement_id: str,
        at: datetime,
        *,
        deal: str | None = None,
        person: str | None = None,
        **more: object,
    ) -> None:
        """An engagement and its associations."""
        row = {
            "engagement_id": engagement_id,
            "_fivetran_deleted": "false",
            "property_hs_timestamp": time_text(at),
            "property_hs_createdate": time_text(at),
        }
        self.add(f"engagement_{kind}", **(row | more))
        self.link(kind.upper(), engagement_id, deal, person)


def build_account(count: int) -> Account:
    """Deals of the made-up world, and after them the odd ones."""
    account = Account()
    _add_stages(account)
    for deal in build_deals(count):
        _add_deal(account, deal)
    _add_odd_deals(account)
    _add_odd_activities(account)
    return account


def _add_stages(account: Account) -> None:
    account.add("deal_pipeline", pipeline_id="default", label="Vertrieb")
    account.add("deal_pipeline", pipeline_id="7731", label="Partner")
    chances = (0.2, 0.4, 0.6, 0.9)
    for order, (stage_id, label, chance) in enumerate(zip(STAGE_IDS, LABELS, chances, strict=True)):
        _add_stage(account, "default", stage_id, label, chance, order)
    _add_stage(account, "default", "closedwon", "Gewonnen", 1.0, 4, closed="TRUE")
    _add_stage(account, "default", "closedlost", "Verloren", 0.0, 5, closed="TRUE")
    _add_stage(account, "default", "55", "Zurückgestellt", 0.0, 6)  # without a chance, yet open
    _add_stage(account, "7731", "8801", "Qualifiziert", 0.5, 0)
    _add_stage(account, "7731", "8802", "Unterschrieben", 1.0, 1, closed="TRUE")


def _add_stage(
    account: Account,
    pipeline: str,
    stage_id: str,
    label: str,
    chance: float,
    order: int,
    *,
    closed: str = "FALSE",
) -> None:
    account.add(
        "deal_pipeline_stage",
        _fivetran_deleted="FALSE",
        stage_id=stage_id,
        pipeline_id=pipeline,
        label=label,
        probability=chance,
        is_closed=closed,
        closed_won=closed,
        display_order=order,
    )


def _add_deal(account: Account, deal: Deal) -> None:
    lead_id = deal_id(deal.number)
    stage = CLOSED[deal.outcome] if deal.outcome else STAGE_IDS[deal.entries[-1][1]]
    account.add_deal(
        lead_id,
        deal.created,
        stage,
        owner_id=700 + deal.owner,
        property_amount=deal.amounts[-1][1],
        property_deal_currency_code="EUR",
        # set at the move to a closed stage, and a forecast until then
        property_closedate=time_text(deal.closed) if deal.closed else deal.expected_close(),
    )
    for at, place in deal.entries:
        account.enter(lead_id, at, STAGE_IDS[place])
    if deal.outcome and deal.closed:
        account.enter(lead_id, deal.closed, CLOSED[deal.outcome])
    for at, amount in deal.amounts:
        account.change(lead_id, at, "amount", amount)
    account.change(lead_id, deal.created, "hubspot_owner_id", 700 + deal.owner)
    account.change(lead_id, deal.created, "closedate", deal.expected_close())
    account.change(lead_id, deal.created, "hs_num_of_associated_line_items", 3)

    person = f"3{deal.number}"
    account.add("deal_contact", deal_id=lead_id, contact_id=person, type_id=3)
    account.add("contact", id=person, property_jobtitle=("CFO", "Einkauf", "")[deal.number % 3])
    for place, activity in enumerate(deal.activities):
        _add_activity(account, deal, activity, f"8{deal.number:05}{place:03}")


def _add_activity(account: Account, deal: Deal, activity: Activity, engagement_id: str) -> None:
    more: Row = {}
    if activity.kind == "call":
        more["property_hs_call_duration"] = activity.seconds * 1000
        more["property_hs_call_direction"] = "OUTBOUND"
    if activity.kind == "email":
        more["property_hs_email_direction"] = "EMAIL"
    account.engage(
        activity.kind,
        engagement_id,
        activity.at,
        deal=None if activity.by_person else deal_id(deal.number),
        person=f"3{deal.number}",
        **more,
    )


def at(day: float) -> datetime:
    """A moment so many days after the first."""
    return BEGIN + timedelta(days=day)


def _add_odd_deals(account: Account) -> None:
    """Deals that an ordinary reading gets wrong; the tests name what is right."""
    skips = {"property_hs_primary_associated_company": "501"}
    account.add_deal("skips", at(10), "closedwon", property_closedate=time_text(at(400)), **skips)
    companies = [("reopened", 400, 341), ("reopened", 501, 5), ("partner", 502, 341)]
    companies += [("no_history", 503, 341), ("no_history", 502, 341)]
    for lead_id, company, kind in companies:
        account.add("deal_company", deal_id=lead_id, company_id=company, type_id=kind)
    account.change("silent", at(500), "hs_primary_associated_company", 501)
    account.change("silent", at(505), "hs_primary_associated_company", 502)
    account.enter("skips", at(10), STAGE_IDS[0])
    account.enter("skips", at(20), "closedwon")
    # HubSpot fills in the stages that the deal skipped, with the time of the closing move
    account.tables["deal"][-1]["property_hs_date_entered_contractsent"] = time_text(at(20))

    account.add_deal("reopened", at(10), "qualifiedtobuy")
    for day, stage in ((10, STAGE_IDS[0]), (20, "closedlost"), (40, STAGE_IDS[1])):
        account.enter("reopened", at(day), stage)

    account.add_deal("no_history", at(10), "closedlost", property_closedate=time_text(at(30)))
    account.add_deal("no_close_date", at(10), "closedlost", property_closedate="")
    account.add_deal("silent", at(500), STAGE_IDS[0], property_closedate=day_text(at(520)))
    account.enter("silent", at(500), STAGE_IDS[0])

    # older connectors give dates in milliseconds since 1970
    account.change("silent", at(501), "closedate", int(at(530).timestamp() * 1000))
    account.add_deal("imported", at(5), STAGE_IDS[0], property_hs_createdate=time_text(at(300)))
    account.add_deal("deleted", at(10), STAGE_IDS[0], is_deleted="true")
    account.enter("deleted", at(10), STAGE_IDS[0])

    partner = {"deal_pipeline_id": "7731", "property_deal_currency_code": "CHF"}
    account.add_deal("partner", at(10), "8802", property_amount="1200.50", **partner)
    account.enter("partner", at(10), "8801")
    account.enter("partner", at(30), "8802")

    account.add_deal("parked", at(10), "55")
    account.enter("parked", at(10), "55")
    account.add_deal("unknown_stage", at(10), "999")
    account.enter("unknown_stage", at(10), "999")


def _add_odd_activities(account: Account) -> None:
    account.add("merged_deal", deal_id="silent", merged_deal_id="merged_away")
    account.engage("note", "n1", at(505), deal="merged_away")

    # one person with a deal that is closed by then, one that is open, and one that comes later
    for number, (begin, end) in enumerate(((100, 110), (105, 200), (150, 200))):
        lead_id = f"of_one_person_{number}"
        account.add_deal(lead_id, at(begin), "closedlost")
        account.enter(lead_id, at(begin), STAGE_IDS[0])
        account.enter(lead_id, at(end), "closedlost")
        account.add("deal_contact", deal_id=lead_id, contact_id="busy", type_id=3)
    account.engage("meeting", "m1", at(120), person="busy")

    outcomes = ("COMPLETED", "NO_SHOW", "CANCELED", "SCHEDULED")
    for number, outcome in enumerate(outcomes):
        account.engage(
            "meeting",
            f"m2{number}",
            at(506 + number),
            deal="silent",
            property_hs_meeting_start_time=time_text(at(506 + number)),
            property_hs_meeting_end_time=time_text(at(506 + number) + timedelta(hours=1)),
            property_hs_meeting_outcome=outcome,
        )
    booked = {"property_hs_createdate": time_text(at(520))}
    account.engage("meeting", "m3", at(900), deal="silent", **booked)

    done = {"property_hs_task_completion_date": time_text(at(512))}
    done["property_hs_createdate"] = time_text(at(508))
    account.engage(
        "task", "t1", at(530), deal="silent", property_hs_task_status="COMPLETED", **done
    )
    open_task = {"property_hs_task_status": "NOT_STARTED"}
    made = {"property_hs_createdate": time_text(at(510))}
    account.engage("task", "t2", at(513), deal="silent", **open_task, **made)
    account.engage("task", "t3", at(513), deal="silent", **open_task, property_hs_createdate="")
    account.engage("call", "c1", at(514), deal="silent", property_hs_call_disposition=NO_ANSWER)
    talk = {"property_hs_call_disposition": CONNECTED, "property_hs_call_direction": "INBOUND"}
    account.engage("call", "c2", at(515), deal="silent", **talk)
    short = talk | {"property_hs_call_duration": 4000}
    account.engage("call", "c3", at(516), deal="silent", **short)
    account.engage("call", "c4", at(517), deal="silent", _fivetran_deleted="true")
    incoming = {"property_hs_email_direction": "INCOMING_EMAIL"}
    account.engage("email", "e1", at(518), deal="silent", **incoming)
    account.add("deal_contact", deal_id="silent", contact_id="shy", type_id=3)
    account.add(
        "contact_form_submission",
        timestamp=time_text(at(519)),
        contact_id="shy",
        conversion_id="f1",
    )
