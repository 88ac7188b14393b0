"""The same Salesforce organisation as Fivetran lands it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from presets.salesforce import (
    CLOSED,
    WON,
    Organisation,
    Row,
    at,
    build_organisation,
    opportunity,
)
from presets.salesforce_leads import build_leads
from presets.world import time_text

FLAGS = {"0": "false", "1": "TRUE"}  # in either case
TABLES = {
    "Opportunity": "opportunity",
    "OpportunityFieldHistory": "opportunity_field_history",
    "OpportunityHistory": "opportunity_history",
    "OpportunityContactRole": "opportunity_contact_role",
    "Contact": "contact",
    "Task": "task",
    "Event": "event",
    "EventRelation": "event_relation",
}
LEAD_TABLES = {
    "Lead": "lead",
    "LeadHistory": "lead_history",
    "LeadStatus": "lead_status",
    "Task": "task",
    "Event": "event",
    "EventRelation": "event_relation",
}
OF_DLT = ("opportunity", "opportunity_contact_role", "contact", "task", "event")


def build_tables(count: int, *, in_history_mode: bool) -> Organisation:
    """Tables of snake_case, with the object OpportunityHistory or the history mode in its place."""
    exported = build_organisation(count)
    landed = Organisation()
    landed.tables = {
        TABLES[name]: [snake_row(row) for row in rows] for name, rows in exported.tables.items()
    }
    if in_history_mode:
        history = exported.tables["OpportunityHistory"]
        landed.tables["opportunity_history"] = [_version(row) for row in history]
        _begin_late(landed)
    _repeat_a_task(landed)
    return landed


def build_lead_tables(count: int) -> Organisation:
    """The tables of leads."""
    exported = build_leads(count).tables
    landed = Organisation()
    landed.tables = {
        LEAD_TABLES[name]: [snake_row(row) for row in rows] for name, rows in exported.items()
    }
    return landed


def snake_row(row: Mapping[str, object]) -> Row:
    """A row by the names of connectors, with flags in words."""
    snake = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): name for name in row}
    landed = {ours: row[name] for ours, name in snake.items()}
    for name, value in landed.items():
        if name.startswith("is_"):
            landed[name] = FLAGS.get(str(value), value)
    return landed


def _version(row: Mapping[str, object]) -> Row:
    """A version of an opportunity, as the history mode keeps it."""
    name = str(row["OpportunityId"])[5:15].lstrip("0")
    return {
        "id": opportunity(name or "0"),
        "_fivetran_start": row["CreatedDate"],
        "_fivetran_end": "9999-12-31 23:59:59",
        "stage_name": row["StageName"],
        "amount": row.get("Amount", ""),
        "close_date": row.get("CloseDate", ""),
        "owner_id": "0055g0000000001AAQ",
        "account_id": f"0015g{row['OpportunityId'][5:15]}AAQ",
        "is_closed": str(row["StageName"] in CLOSED.values()).lower(),
        "is_won": str(row["StageName"] == WON).lower(),
        "is_deleted": "false",
    }


def _repeat_a_task(landed: Organisation) -> None:
    """An earlier version of a task, before it was done."""
    task = next(row for row in landed.tables["task"] if "call" in row["id"])
    earlier = {"is_closed": "false", "_fivetran_active": "false"}
    task["_fivetran_active"] = "true"
    landed.tables["task"].append(task | earlier)


def _begin_late(landed: Organisation) -> None:
    """An opportunity that closed before the first sync."""
    opened = next(row for row in landed.tables["opportunity"] if "stamped" in row["id"])
    landed.tables["opportunity_history"].append(
        {
            "id": opened["id"],
            "_fivetran_start": time_text(at(200)),
            "stage_name": opened["stage_name"],
            "is_closed": "true",
            "is_won": "false",
        }
    )
