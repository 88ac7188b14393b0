"""Exports with which other forms of the same CRM are compared, ingested once."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from presets import world
from presets.hubspot import build_account
from presets.pipedrive import build_company

HUBSPOT_DEALS = 30
PIPEDRIVE_DEALS = 40
ONLY_FIVETRAN = ("form", "message")
KIND = re.compile(r"^(call|meeting|email|task|note) ")  # before an id, which is unique within it


@cache
def hubspot_by_fivetran() -> world.Export:
    """The HubSpot account in Fivetran's tables."""
    return world.ingest_made(build_account(HUBSPOT_DEALS), "hubspot/fivetran")


@cache
def pipedrive_by_airbyte() -> world.Export:
    """The Pipedrive company in Airbyte's tables."""
    return world.ingest_made(build_company(PIPEDRIVE_DEALS), "pipedrive/airbyte")


def facts(export: world.Export, table: str) -> list[dict[str, Any]]:
    """Rows in an order that does not hang on that of the files."""
    rows = [row for row in export.rows(table) if row.get("kind") not in ONLY_FIVETRAN]
    for row in rows:
        row.pop("seq", None)
        if "activity_id" in row:
            row["activity_id"] = KIND.sub("", row["activity_id"])
    return world.unsalted(sorted(rows, key=_without_hashes))


def _without_hashes(row: dict[str, Any]) -> str:
    """A row as text, without what is salted."""
    plain = {name: value for name, value in row.items() if "hash:" not in str(value)}
    return str(plain)
