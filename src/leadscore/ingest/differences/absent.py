"""Leads that earlier exports had and this one has not: their facts stay, so that the past is what it was.

They are parts of a version beside its tables, `absent_leads` and so on, as the last export that had them was mapped.
`presence` is append-only: when a lead was first missed and how long it had been seen, and when it was back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.validate import Staged
from leadscore.ingest.differences.opens import is_read_alike
from leadscore.ingest.differences.states import AT_FIRST
from leadscore.store.version import NOTHING, StoreVersion, write_rows
from leadscore.tables import PRESENCE, TABLES
from leadscore.wording import counted

ROWS = 100_000
STANDING = "(SELECT lead_id FROM judged WHERE broken_rule = '')"
ABSENT = f"""SELECT k.lead_id FROM (SELECT lead_id FROM before_leads UNION SELECT lead_id FROM absent_before_leads) AS k
    LEFT JOIN {STANDING} AS s ON s.lead_id = k.lead_id LEFT JOIN ignored AS i ON i.lead_id = k.lead_id
    WHERE s.lead_id IS NULL"""
NEVER_LEADS = " AND i.lead_id IS NULL"  # where the settings did not ignore them before
LATEST = """(SELECT lead_id, present FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY seq DESC) AS place
    FROM presence_before) AS p WHERE place = 1)"""


@dataclass(frozen=True)
class Absent:
    """The parts of absent leads by name, and how many leads they are."""

    parts: dict[str, Any]
    leads: int

    @property
    def warnings(self) -> list[str]:
        """What is said of them."""
        if not self.leads:
            return []
        leads = counted(self.leads, "lead of an earlier export is", "leads of earlier exports are")
        return [f"{leads} absent, refused or ignored now: no longer listed; the past stays"]


def find_absent(staged: Staged, before: StoreVersion | None) -> None:
    """Make the table `absent_now`: which leads (lead_id) earlier exports had; `judged` and `ignored` must be readable.

    Leads that new settings ignore by name never were leads. Where the settings are those of before, a lead that comes
    to be ignored was one until then: otherwise a status set later would decide who was learned from.
    """
    engine = staged.engine
    for name in TABLES:
        schema = staged.table(name).schema()
        paths = before.files(f"absent_{name}") if before else []
        stored = before.schema(f"absent_{name}") if before else None
        engine.add_files(f"absent_before_{name}", paths, schema=stored or schema)
    engine.add_files("presence_before", before.files("presence") if before else [], schema=PRESENCE)
    nothing = "SELECT lead_id FROM judged WHERE 1 = 0"
    absent = ABSENT if is_read_alike(staged, before, "ignored") else ABSENT + NEVER_LEADS
    engine.add_rows("absent_now", engine.query(absent if before else nothing))


def keep_absent(staged: Staged, before: StoreVersion | None, *, known_until: int) -> Absent:
    """The facts of absent leads as parts of the manifest; makes absent_<table> readable. `states` must be."""
    leads = int(staged.engine.query("SELECT COUNT(*) FROM absent_now").column(0)[0].as_py())
    parts = {}
    for name in TABLES:
        schema = staged.table(name).schema()
        sql = _kept_sql(staged, before, name, schema) if before and leads else None
        part = (
            write_rows(staged.folder, schema, staged.engine.stream(sql, rows=ROWS))
            if sql
            else NOTHING
        )
        staged.engine.add_files(f"absent_{name}", staged.paths(part), schema=schema)
        parts[f"absent_{name}"] = part
    return Absent({**parts, "presence": _presence(staged, before, known_until=known_until)}, leads)


def _kept_sql(staged: Staged, before: StoreVersion, name: str, schema: pa.Schema) -> str:
    """SQL of the rows of absent leads in a table of the version before, in the shape of today's."""
    parts = []
    for part, view in ((name, f"before_{name}"), (f"absent_{name}", f"absent_before_{name}")):
        stored = before.schema(part)
        if stored is None:
            continue
        columns = ", ".join(_column_sql(staged, name, field, stored) for field in schema)
        parts.append(
            f"""SELECT {columns} FROM {view} AS b JOIN absent_now AS a ON a.lead_id = b.lead_id
            LEFT JOIN (SELECT * FROM states WHERE seq = {AT_FIRST}) AS s ON s.lead_id = b.lead_id"""
        )
    if not parts:
        return f"SELECT * FROM absent_before_{name} WHERE 1 = 0"
    order = ", ".join(map(identifier, schema.names))
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS t ORDER BY {order}"


def _column_sql(staged: Staged, name: str, field: pa.Field, stored: pa.Schema) -> str:
    """SQL of one column: of leads, what today's settings read from the first text; else what is stored."""
    quoted = identifier(field.name)
    kept = f"b.{quoted}"
    if field.name not in stored.names or stored.field(field.name).type != field.type:
        default = next(
            (each.default for each in staged.table(name).columns if each.name == field.name), None
        )
        kept = (
            "NULL"
            if default is None
            else literal(default)
            if isinstance(default, str)
            else str(default)
        )
    if name == "leads" and field.name in staged.first_columns():
        kept = f"CASE WHEN s.lead_id IS NULL THEN {kept} ELSE s.{quoted} END"
    return f"{kept} AS {quoted}"


def _presence(staged: Staged, before: StoreVersion | None, *, known_until: int) -> dict[str, Any]:
    """The comings and goings that exports showed, with those of this one."""
    if before is None:
        return NOTHING
    engine = staged.engine
    seq = (
        engine.query("SELECT COALESCE(MAX(seq), -1) + 1 FROM presence_before").column(0)[0].as_py()
    )
    row = f"{{}} AS present, {{}} AS seen_until_us, {known_until - 1} AS available_us, {seq} AS seq"
    sql = f"""SELECT a.lead_id, {row.format(0, before.known_until_us)} FROM absent_now AS a
        LEFT JOIN {LATEST} AS p ON p.lead_id = a.lead_id WHERE p.lead_id IS NULL OR p.present = 1
        UNION ALL SELECT s.lead_id, {row.format(1, known_until)} FROM {STANDING} AS s
        JOIN {LATEST} AS p ON p.lead_id = s.lead_id WHERE p.present = 0"""
    rows = engine.stream(f"SELECT * FROM ({sql}) AS t ORDER BY lead_id", rows=ROWS)
    new = write_rows(staged.folder, PRESENCE, rows)
    known = before.manifest.get("presence", NOTHING)
    return {"rows": known["rows"] + new["rows"], "files": known["files"] + new["files"]}
