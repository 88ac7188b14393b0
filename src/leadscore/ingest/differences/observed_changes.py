"""Fields of leads that took another value from one export to the next.

So history grows by itself. What was seen first stays in `leads`, since it is what was known at
creation; what is seen later becomes a change that is known from that export on. Both are read anew
from the kept source text, by the settings of today.
"""

from __future__ import annotations

from typing import Any

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.differences.states import AT_FIRST
from leadscore.ingest.sql import union_sql
from leadscore.ingest.staged import Staged
from leadscore.store.objects import write_rows
from leadscore.store.version import StoreVersion
from leadscore.tables import CHANGES, TABLES

WRITE_ROWS = 100_000


def attach_before(staged: Staged, before: StoreVersion | None) -> None:
    """Make the version before readable as before_<table>; empty tables before the first."""
    for name in TABLES:
        files = before.files(name) if before else []
        stored = before.schema(name) if before else None
        schema = stored or staged.table(name).schema()
        staged.engine.add_files(f"before_{name}", files, schema=schema)


def leads_sql(staged: Staged, *, creation_us: int) -> str:
    """SQL of `leads` as it is stored: a field known from creation keeps the value first seen.

    Args:
        staged: The ingest. If a field is known from creation, `states` must be readable.
        creation_us: When a lead without a creation date counts as created.
    """
    first = staged.columns_from_creation()
    columns = []
    for name in staged.table("leads").schema().names:
        quoted = identifier(name)
        if name == "event_us":
            value = f"COALESCE(n.event_us, {creation_us})"
        elif name == "available_us":
            value = f"CASE WHEN n.event_us IS NULL THEN {creation_us} ELSE n.available_us END"
        elif name in first:
            value = f"CASE WHEN b.lead_id IS NULL THEN n.{quoted} ELSE b.{quoted} END"
        else:
            value = f"n.{quoted}"
        columns.append(f"{value} AS {quoted}")

    sql = f"SELECT {', '.join(columns)} FROM {ACCEPTED_LEADS} AS n"
    if first:
        sql += f""" LEFT JOIN (SELECT * FROM states WHERE seq = {AT_FIRST}) AS b
            ON b.lead_id = n.lead_id"""
    return sql


def write_observed(staged: Staged) -> dict[str, Any]:
    """Store the observed changes of all exports; returns their rows and files.

    Where the mapping gives changes of a lead's field, observation stops at the first of them.
    `states`, `first_leads`, `changes_now` and `absent_changes` must be readable.
    """
    schema = CHANGES.schema()
    fields = staged.mapped_fields() if staged.settings.is_dated else []
    if not fields:
        return write_rows(staged.folder, schema, [])
    rows = union_sql(_changes_sql(staged, name) for name in fields)
    sql = f"SELECT * FROM ({rows}) AS d ORDER BY lead_id, field, available_us, seq"
    return write_rows(staged.folder, schema, staged.engine.stream(sql, rows=WRITE_ROWS))


def _changes_sql(staged: Staged, name: str) -> str:
    """SQL of a field's observed changes, in the shape of `CHANGES`."""
    field = literal(name)
    mapped = f"""SELECT lead_id, MIN(available_us) AS us
        FROM (SELECT lead_id, field, available_us FROM changes_now
            UNION ALL SELECT lead_id, field, available_us FROM absent_changes) AS m
        WHERE field = {field} GROUP BY lead_id"""
    return f"""SELECT d.lead_id, {field} AS field, d.value,
        CASE WHEN d.seq < 0 THEN 0 ELSE d.seq END AS seq,
        d.known_until_us - 1 AS event_us, d.known_until_us - 1 AS available_us
        FROM ({_values_sql(staged, name)}) AS d
        LEFT JOIN ({mapped}) AS c ON c.lead_id = d.lead_id
        WHERE d.value IS DISTINCT FROM d.value_before
            AND (c.us IS NULL OR c.us >= d.known_until_us)"""


def _values_sql(staged: Staged, name: str) -> str:
    """SQL of the values of a field that exports showed one after the other, with the one before.

    The first value is one of them only if the field is known from its export on, not from the
    lead's creation.
    """
    text = f"CAST({identifier(name)} AS VARCHAR)"
    states = f"""SELECT lead_id, known_until_us, seq, {text} AS value,
        LAG({text}) OVER (PARTITION BY lead_id ORDER BY seq) AS value_before FROM states"""
    if staged.settings.lead_fields()[name].known_from != "export":
        return f"SELECT * FROM ({states}) AS s WHERE seq > {AT_FIRST}"

    unchanged = f"""SELECT n.lead_id, f.known_until_us, {AT_FIRST} AS seq, {text} AS value,
        CAST(NULL AS VARCHAR) AS value_before
        FROM {ACCEPTED_LEADS} AS n
        JOIN first_leads AS f ON f.lead_id = n.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM states) AS s ON s.lead_id = n.lead_id
        WHERE s.lead_id IS NULL"""
    return f"SELECT * FROM ({states}) AS s UNION ALL SELECT * FROM ({unchanged}) AS u"
