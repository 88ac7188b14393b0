"""Pipedrive's inbox of leads, in the form of Airbyte or of dlt."""

from __future__ import annotations

import json
from typing import Any

from presets.pipedrive import Company, at
from presets.world import Deal, build_deals, time_text


def build_inbox(count: int, *, by_dlt: bool = False) -> Company:
    """Leads of the made-up world, and after them the odd ones."""
    inbox = Company()
    for deal in build_deals(count):
        _add_deal(inbox, deal)
    _add_lead(inbox, "silent", at(500), person_id="3silent")
    _add_lead(inbox, "undated", at(10), is_archived="true")
    inbox.act("1", at(505), "meeting", lead_id="", person_id="3silent")
    inbox.act("2", at(506), "call", lead_id="silent", done="false", marked_as_done_time="")
    inbox.add("notes", id=5, lead_id="silent", person_id="", add_time=time_text(at(510)))
    if by_dlt:
        inbox.tables["leads"] = [_flat(row) for row in inbox.tables["leads"]]
    return inbox


def _add_lead(inbox: Company, lead_id: object, created: Any, **more: object) -> None:
    row: dict[str, Any] = {
        "id": lead_id,
        "add_time": time_text(created),
        "is_archived": "false",
        "value": json.dumps({"amount": 100, "currency": "CZK"}),
        "owner_id": 7,
        "person_id": f"3{lead_id}",
        "organization_id": 61,
        "source_name": "Web form",
        "expected_close_date": "2024-06-30",
        "archive_time": "",
    }
    inbox.add("leads", **(row | more))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    value = json.loads(row["value"])
    rest = {name: text for name, text in row.items() if name != "value"}
    return rest | {f"value__{name}": part for name, part in value.items()}


def _add_deal(inbox: Company, deal: Deal) -> None:
    number = deal.number
    more = {}
    if deal.closed and deal.outcome == "lost":
        more = {"is_archived": "true", "archive_time": time_text(deal.closed)}
    elif deal.closed:
        inbox.add("conversions", lead_id=number, converted_at=time_text(deal.closed))
    _add_lead(inbox, number, deal.created, **more)
    for place, activity in enumerate(deal.activities):
        linked = "" if activity.by_person else number
        ids = {"lead_id": linked, "person_id": f"3{number}"}
        kind = "email" if activity.kind == "call" and activity.seconds < 10 else activity.kind
        inbox.act(f"{number}{place:03}", activity.at, kind, **ids)
