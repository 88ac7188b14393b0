"""The same HubSpot account as dlt lands it: properties by their own names, lists in tables of their own."""

from __future__ import annotations

from presets.hubspot import Account, Row, build_account

NAMES = {
    "deal_pipeline_id": "pipeline",
    "deal_pipeline_stage_id": "dealstage",
    "owner_id": "hubspot_owner_id",
    "is_deleted": "is_deleted",
}


def build_tables(count: int) -> Account:
    """Tables as two runs leave them: the history is there twice."""
    account = build_account(count).tables
    landed = Account()
    companies = account["deal_company"]
    primary = {row["deal_id"]: row["company_id"] for row in companies if row["type_id"] == 5}
    for row in account["deal"]:
        properties = _properties(row)
        if row["deal_id"] in primary:
            properties["hs_primary_associated_company"] = primary[row["deal_id"]]
        landed.add("deals", id=row["deal_id"], **properties)
    for row in account["contact"]:
        landed.add("contacts", id=row["id"], **_properties(row))
    for row in account["deal_contact"]:
        landed.add("contacts__deals", value=row["contact_id"], deals_id=row["deal_id"])
    for row in companies:
        landed.add("companies__deals", value=row["company_id"], deals_id=row["deal_id"])
    _add_stages(landed, account["deal_pipeline"], account["deal_pipeline_stage"])
    for _ in range(2):
        _add_history(landed, account["deal_stage"], account["deal_property_history"])
    return landed


def _properties(row: Row) -> Row:
    properties = {}
    for name, value in row.items():
        if name.startswith("property_") or name in NAMES:
            properties[NAMES.get(name, name.removeprefix("property_"))] = value
    return properties


def _add_stages(landed: Account, pipelines: list[Row], stages: list[Row]) -> None:
    for row in pipelines:
        key = row["pipeline_id"]
        landed.add("pipelines_deals", id=key, label=row["label"], _dlt_id=f"x{key}")
    for row in stages:
        landed.add(
            "pipelines_deals__stages",
            id=row["stage_id"],
            label=row["label"],
            display_order=row["display_order"],
            metadata__is_closed=row["is_closed"],
            metadata__probability=row["probability"],
            _dlt_parent_id=f"x{row['pipeline_id']}",
        )


def _add_history(landed: Account, stages: list[Row], properties: list[Row]) -> None:
    changes = [(row["deal_id"], "dealstage", row["value"], row["date_entered"]) for row in stages]
    names = ("deal_id", "name", "value", "timestamp")
    changes += [tuple(row[name] for name in names) for row in properties]
    for deal, name, value, moment in changes:
        at = moment.replace(" ", "T") + ".000000+00:00"
        landed.add(
            "deals_property_history",
            object_id=deal,
            property_name=name,
            value=value,
            timestamp=at,
        )
