"""What an export shows beside the one before: fields of leads that took another value since.

So history grows by itself. What was seen first stays in `leads`, since it is what was known at creation; what is seen
later becomes a change that is known from that export on.
"""

from __future__ import annotations

from typing import Any

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.validate import Staged
from leadscore.store.version import NOTHING, StoreVersion, write_rows
from leadscore.tables import CHANGES

JUDGED = "(SELECT * FROM judged WHERE broken_rule = '') AS n"


def attach_before(staged: Staged, before: StoreVersion | None) -> None:
    """Make the version before readable: before_<table>, and before_observed."""
    for name in ("leads", "changes", "activities", "stages", "outcomes"):
        schema = (before.schema(name) if before else None) or staged.table(name).schema()
        staged.engine.add_files(f"before_{name}", before.files(name) if before else [], schema=schema)
    observed = before.files("observed") if before else []
    staged.engine.add_files("before_observed", observed, schema=CHANGES.schema())


def compared_fields(staged: Staged, before: StoreVersion | None) -> list[str]:
    """The mapped fields of leads that the version before holds, read in the same way; undated nothing changes."""
    schema = before.schema("leads") if before else None
    if (
        not staged.settings.is_dated
        or before is None
        or schema is None
        or before.manifest.get("leads_reading") != staged.leads_reading
    ):
        return []
    return [name for name in staged.mapped_fields() if name in schema.names]


def leads_sql(staged: Staged, compared: list[str], *, creation_us: int) -> str:
    """SQL of `leads` as it is stored: a field known from creation keeps the value that was seen first.

    A lead without a creation date gets `creation_us`.
    """
    fields = staged.settings.lead_fields()
    first = {name for name in compared if fields[name].known_from == "creation"}
    columns = []
    for name in staged.table("leads").schema().names:
        quoted = identifier(name)
        if name == "event_us":
            columns.append(f"COALESCE(n.event_us, {creation_us}) AS event_us")
        elif name == "available_us":
            columns.append(f"CASE WHEN n.event_us IS NULL THEN {creation_us} ELSE n.available_us END AS available_us")
        elif name in first:
            columns.append(f"CASE WHEN b.lead_id IS NULL THEN n.{quoted} ELSE b.{quoted} END AS {quoted}")
        else:
            columns.append(f"n.{quoted} AS {quoted}")
    return f"SELECT {', '.join(columns)} FROM {JUDGED} LEFT JOIN before_leads AS b ON b.lead_id = n.lead_id"


def observe(staged: Staged, compared: list[str], before: StoreVersion | None, *, known_until: int) -> dict[str, Any]:
    """The observed changes as a part of the manifest: those of the versions before, and the new ones as a file.

    The table `changes_now`, the mapped changes, must be readable: a lead's field that they tell of is left to them.
    """
    fields = staged.settings.lead_fields()
    asked = [name for name in staged.mapped_fields() if name in compared or fields[name].known_from == "export"]
    known = NOTHING if before is None else before.observed
    if not asked or not staged.settings.is_dated:
        return known
    rows = " UNION ALL ".join(_differences_sql(staged, name, seen=name in compared) for name in asked)
    sql = f"""SELECT lead_id, field, value, 0 AS seq, {known_until - 1} AS event_us, {known_until - 1} AS available_us
        FROM ({rows}) AS d ORDER BY lead_id, field"""
    rows_now = staged.engine.query(sql).cast(CHANGES.schema())
    new = write_rows(staged.folder, CHANGES.schema(), rows_now.to_batches())
    return {"rows": known["rows"] + new["rows"], "files": known["files"] + new["files"]}


def _differences_sql(staged: Staged, name: str, *, seen: bool) -> str:
    """SQL of a field's values that no export showed before: (lead_id, field, value)."""
    known = staged.settings.lead_fields()[name]
    now, field = _as_text(f"n.{identifier(name)}", known.type), literal(name)
    earlier = _as_text(f"b.{identifier(name)}", known.type) if seen else "NULL"
    latest = f"""SELECT lead_id, value FROM (SELECT lead_id, value, ROW_NUMBER() OVER (
        PARTITION BY lead_id ORDER BY available_us DESC) AS place FROM before_observed WHERE field = {field}) AS o
        WHERE place = 1"""
    first = f"(b.lead_id IS NULL AND {now} IS NOT NULL)" if known.known_from == "export" else "1 = 0"
    differs = f"{now} IS DISTINCT FROM CASE WHEN o.lead_id IS NULL THEN {earlier} ELSE o.value END"
    return f"""SELECT n.lead_id, {field} AS field, {now} AS value FROM {JUDGED}
        LEFT JOIN before_leads AS b ON b.lead_id = n.lead_id
        LEFT JOIN ({latest}) AS o ON o.lead_id = n.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM changes_now WHERE field = {field}) AS c ON c.lead_id = n.lead_id
        WHERE c.lead_id IS NULL AND ({first} OR (b.lead_id IS NOT NULL AND {differs}))"""


def _as_text(column: str, kind: str) -> str:
    return column if kind == "text" else f"CAST({column} AS VARCHAR)"
