"""Leads that only earlier exports had: their facts stay, so that the past is what it was.

They are parts of a version beside its tables, `absent_leads` and so on, as the last export that had
them was mapped. `presence` is append-only: when a lead was first missed and how long it had been
seen, and when it was back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.differences.observed_changes import unless_changed_sql
from leadscore.ingest.differences.opens import is_read_alike
from leadscore.ingest.differences.states import AT_FIRST
from leadscore.ingest.sql import columns_sql, read_number, union_sql
from leadscore.ingest.staged import Staged
from leadscore.store.objects import NOTHING, write_rows
from leadscore.store.version import StoreVersion
from leadscore.tables import PRESENCE, TABLES
from leadscore.wording import counted

WRITE_ROWS = 100_000
ABSENT_SQL = f"""SELECT k.lead_id
    FROM (SELECT lead_id FROM before_leads UNION SELECT lead_id FROM absent_before_leads) AS k
    LEFT JOIN {ACCEPTED_LEADS} AS a ON a.lead_id = k.lead_id
    LEFT JOIN ignored AS i ON i.lead_id = k.lead_id
    WHERE a.lead_id IS NULL"""
LATEST_PRESENCE = """(SELECT lead_id, present FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY seq DESC) AS place
    FROM presence_before) AS p WHERE place = 1)"""


@dataclass(frozen=True)
class Absent:
    """The stored rows of absent leads by part, and how many leads they are."""

    parts: dict[str, Any]
    leads: int

    @property
    def warnings(self) -> list[str]:
        """What an ingest says of them."""
        if not self.leads:
            return []
        leads = counted(self.leads, "lead of an earlier export is", "leads of earlier exports are")
        return [f"{leads} absent, refused or ignored now: no longer listed; the past stays"]


def find_absent(staged: Staged, before: StoreVersion | None) -> None:
    """Make the table `absent_now`: the leads (lead_id) that only earlier exports had.

    Leads that new settings ignore by name never were leads. Where the settings ignore what they
    did before, a lead that comes to be ignored was one until then: otherwise a status set later
    would decide who was learned from. `checked_leads` and `ignored` must be readable.
    """
    engine = staged.engine
    for name in TABLES:
        files = before.files(f"absent_{name}") if before else []
        stored = before.schema(f"absent_{name}") if before else None
        schema = stored or staged.table(name).schema()
        engine.add_files(f"absent_before_{name}", files, schema=schema)
    files = before.files("presence") if before else []
    engine.add_files("presence_before", files, schema=PRESENCE)
    engine.add_result("absent_now", _absent_sql(staged, before))


def _absent_sql(staged: Staged, before: StoreVersion | None) -> str:
    if before is None:
        return "SELECT lead_id FROM checked_leads WHERE 1 = 0"
    if is_read_alike(staged, before, "ignored"):
        return ABSENT_SQL
    return f"{ABSENT_SQL} AND i.lead_id IS NULL"


def keep_absent(staged: Staged, before: StoreVersion | None, *, known_until: int) -> Absent:
    """Store the facts of absent leads, and make them readable as absent_<table>.

    `states` and `changed_earlier` must be readable.
    """
    leads = read_number(staged.engine, "SELECT COUNT(*) FROM absent_now")
    parts = {}
    for name in TABLES:
        schema = staged.table(name).schema()
        part = NOTHING
        if before and leads:
            sql = _absent_rows_sql(staged, before, name, schema)
            batches = staged.engine.stream(sql, rows=WRITE_ROWS)
            part = write_rows(staged.folder, schema, batches)
        staged.engine.add_files(f"absent_{name}", staged.paths(part), schema=schema)
        parts[f"absent_{name}"] = part
    parts["presence"] = _write_presence(staged, before, known_until=known_until)
    return Absent(parts, leads)


def _absent_rows_sql(staged: Staged, before: StoreVersion, name: str, schema: pa.Schema) -> str:
    """SQL of the rows of absent leads in the version before, in the shape of today's table."""
    selects = []
    views = {name: f"before_{name}", f"absent_{name}": f"absent_before_{name}"}
    for part, view in views.items():
        stored = before.schema(part)
        if stored is None:
            continue
        cells = [_column_sql(staged, name, field, stored) for field in schema]
        columns = ", ".join(cells)
        selects.append(
            f"""SELECT {columns} FROM {view} AS b
            JOIN absent_now AS a ON a.lead_id = b.lead_id
            LEFT JOIN (SELECT * FROM states WHERE seq = {AT_FIRST}) AS s
                ON s.lead_id = b.lead_id"""
        )
    if not selects:
        return f"SELECT * FROM absent_before_{name} WHERE 1 = 0"
    return f"SELECT * FROM ({union_sql(selects)}) AS t ORDER BY {columns_sql(schema.names)}"


def _column_sql(staged: Staged, name: str, field: pa.Field, stored: pa.Schema) -> str:
    """SQL of a column: of leads, what today's settings read from the first text; else as stored."""
    quoted = identifier(field.name)
    value = f"b.{quoted}"
    is_stored = field.name in stored.names and stored.field(field.name).type == field.type
    if not is_stored:
        value = _default_sql(staged, name, field.name)
    if name == "leads" and field.name in staged.columns_seen_first():
        value = f"CASE WHEN s.lead_id IS NULL THEN {value} ELSE s.{quoted} END"
        value = unless_changed_sql(staged, field.name, value, lead="b.lead_id")
    return f"{value} AS {quoted}"


def _default_sql(staged: Staged, table: str, name: str) -> str:
    """SQL of a column's default; NULL if it has none."""
    table_columns = staged.table(table).columns
    defaults = {column.name: column.default for column in table_columns}
    default = defaults.get(name)
    if default is None:
        return "NULL"
    return literal(default) if isinstance(default, str) else str(default)


def _write_presence(
    staged: Staged,
    before: StoreVersion | None,
    *,
    known_until: int,
) -> dict[str, Any]:
    """Store the comings and goings that exports showed, with those of this one."""
    if before is None:
        return NOTHING
    seq = read_number(staged.engine, "SELECT COALESCE(MAX(seq), -1) + 1 FROM presence_before")
    times = f"{known_until - 1} AS available_us, {seq} AS seq"
    gone = f"""SELECT a.lead_id, 0 AS present, {before.known_until_us} AS seen_until_us, {times}
        FROM absent_now AS a
        LEFT JOIN {LATEST_PRESENCE} AS p ON p.lead_id = a.lead_id
        WHERE p.lead_id IS NULL OR p.present = 1"""
    back = f"""SELECT l.lead_id, 1 AS present, {known_until} AS seen_until_us, {times}
        FROM {ACCEPTED_LEADS} AS l
        JOIN {LATEST_PRESENCE} AS p ON p.lead_id = l.lead_id
        WHERE p.present = 0"""
    sql = f"SELECT * FROM ({union_sql([gone, back])}) AS t ORDER BY lead_id"
    batches = staged.engine.stream(sql, rows=WRITE_ROWS)
    new = write_rows(staged.folder, PRESENCE, batches)
    known = before.manifest["presence"]
    rows = known["rows"] + new["rows"]
    return {"rows": rows, "files": known["files"] + new["files"]}
