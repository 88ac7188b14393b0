"""The same Pipedrive company as dlt lands it: objects in a column for each part."""

from __future__ import annotations

import re
from typing import Any

from presets.pipedrive import Company, build_company

PARTS = {"user_id": "id", "person_id": "value", "org_id": "value"}
OBJECT = re.compile(r'\{"\w+": (\d+)')  # with the id as its first part


def build_tables(count: int, *, has_old_values: bool = True) -> Company:
    """The company of Airbyte's streams, under dlt's names: objects in a column for each part."""
    streams = build_company(count).tables
    landed = Company()
    for name, rows in streams.items():
        landed.tables["deals_flow_deal_change" if name == "deal_changes" else name] = rows
    landed.tables["deals"] = [_flat(row) for row in streams["deals"]]
    if not has_old_values:
        for row in landed.tables["deals_flow_deal_change"]:
            del row["old_value"]
    return landed


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat = row | {"_dlt_id": f"x{row['id']}"}
    for name, part in PARTS.items():
        of_object = OBJECT.match(str(flat.get(name, "")))
        if of_object:
            del flat[name]
            flat[f"{name}__{part}"] = of_object[1]
    return flat
