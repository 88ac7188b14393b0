"""The same HubSpot account as Airbyte lands it, with what is messy in its tables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from presets.hubspot import Account, Row, build_account

KINDS = ("call", "meeting", "email", "task", "note")
NAMES = {
    "deal_pipeline_id": "properties_pipeline",
    "deal_pipeline_stage_id": "properties_dealstage",
    "owner_id": "properties_hubspot_owner_id",
}


def build_streams(count: int) -> Account:
    """Streams with ids in lists, stages within pipelines, and rows in several versions."""
    account = build_account(count).tables
    landed = Account()
    people = _linked(account["deal_contact"], by="deal_id", to="contact_id")
    companies = _linked(account["deal_company"], by="deal_id", to="company_id")
    merged = {row["deal_id"]: row["merged_deal_id"] for row in account["merged_deal"]}
    primary = {
        row["deal_id"]: row["company_id"] for row in account["deal_company"] if row["type_id"] == 5
    }
    for row in account["deal"]:
        lead_id = row["deal_id"]
        properties = _properties(row)
        if lead_id in primary:
            properties["properties_hs_primary_associated_company"] = primary[lead_id]
        landed.add(
            "deals",
            id=lead_id,
            archived=row["is_deleted"],
            updatedAt="2025-06-20T08:00:00.000Z",
            contacts=_list(people[lead_id]),
            companies=_list(companies[lead_id]),
            properties_hs_merged_object_ids=merged.get(lead_id, ""),
            **properties,
        )
    _add_pipelines(landed, account)
    _add_history(landed, account)
    for row in account["contact"]:
        landed.add("contacts", id=row["id"], **_properties(row))
    for kind in KINDS:
        _add_engagements(landed, account, kind)
    _repeat_an_earlier_version(landed)
    return landed


def _linked(rows: Iterable[Row], *, by: str, to: str) -> Mapping[str, list[str]]:
    links: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        links[row[by]].append(str(row[to]))
    return links


def _list(ids: list[str]) -> str:
    return json.dumps(ids) if ids else ""


def _properties(row: Row) -> Row:
    """The properties of a row by Airbyte's names, with its way of writing times."""
    properties = {}
    for name, value in row.items():
        if name.startswith("property_") or name in NAMES:
            ours = NAMES.get(name, name.replace("property_", "properties_", 1))
            properties[ours] = _time(value)
    return properties


def _time(value: object) -> object:
    try:
        return datetime.fromisoformat(str(value)).isoformat(timespec="milliseconds") + "Z"
    except ValueError:
        return value


def _add_pipelines(landed: Account, account: Mapping[str, list[Row]]) -> None:
    """Each with its stages, by the keys of the older API and of the newer one."""
    keys = {"default": ("pipelineId", "stageId"), "7731": ("id", "id")}
    for pipeline in account["deal_pipeline"]:
        pipeline_key, stage_key = keys[pipeline["pipeline_id"]]
        stages = []
        for row in account["deal_pipeline_stage"]:
            if row["pipeline_id"] == pipeline["pipeline_id"]:
                closed = str(row["is_closed"]).lower()
                metadata = {"isClosed": closed, "probability": str(row["probability"])}
                stage = {"label": row["label"], "displayOrder": row["display_order"]}
                stages.append({stage_key: row["stage_id"], "metadata": metadata, **stage})
        listed = {pipeline_key: pipeline["pipeline_id"], "label": pipeline["label"]}
        landed.add("deal_pipelines", stages=json.dumps(stages), **listed)


def _add_history(landed: Account, account: Mapping[str, list[Row]]) -> None:
    for row in account["deal_stage"]:
        _add_change(landed, row["deal_id"], "dealstage", row["value"], row["date_entered"])
    for row in account["deal_property_history"]:
        _add_change(landed, row["deal_id"], row["name"], row["value"], row["timestamp"])


def _add_change(landed: Account, deal: str, name: str, value: object, at: str) -> None:
    change = {"dealId": deal, "property": name, "value": value, "timestamp": _time(at)}
    landed.add("deals_property_history", sourceType="CRM_UI", **change)


def _add_engagements(landed: Account, account: Mapping[str, list[Row]], kind: str) -> None:
    deals = _linked(account["engagement_deal"], by="engagement_id", to="deal_id")
    people = _linked(account["engagement_contact"], by="engagement_id", to="contact_id")
    for row in account[f"engagement_{kind}"]:
        engagement_id = row["engagement_id"]
        landed.add(
            f"engagements_{kind}s",
            id=engagement_id,
            archived=row["_fivetran_deleted"],
            updatedAt="2025-06-20T08:00:00.000Z",
            deals=_list(deals[engagement_id]),
            contacts=_list(people[engagement_id]),
            **_properties(row),
        )


def _repeat_an_earlier_version(landed: Account) -> None:
    """What an append-only sync leaves: the version before a change, and a change twice."""
    for name in ("deals", "engagements_calls"):
        before = {"updatedAt": "2025-01-01T08:00:00.000Z", "archived": "true"}
        landed.tables[name].append(landed.tables[name][0] | before)
    history = landed.tables["deals_property_history"]
    history.append(history[0])
