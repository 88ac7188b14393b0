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
from leadscore.settings.memory import stored_fields
from leadscore.store.objects import write_rows
from leadscore.store.version import StoreVersion
from leadscore.tables import CHANGES, TABLES

WRITE_ROWS = 100_000
# Of a first row b; the available_us of one without a date is 0.
CREATED_BEFORE = "b.event_us IS NOT NULL AND b.available_us < b.known_until_us"
MAPPED_CHANGES = """SELECT lead_id, field, available_us FROM changes_now
    UNION ALL SELECT b.lead_id, b.field, b.available_us
    FROM (SELECT lead_id, field, available_us FROM before_changes
        UNION ALL SELECT lead_id, field, available_us FROM absent_before_changes) AS b
    JOIN absent_now AS a ON a.lead_id = b.lead_id"""


def attach_before(staged: Staged, before: StoreVersion | None) -> None:
    """Make the version before readable as before_<table>; empty tables before the first."""
    for name in TABLES:
        files = before.files(name) if before else []
        stored = before.schema(name) if before else None
        schema = stored or staged.table(name).schema()
        staged.engine.add_files(f"before_{name}", files, schema=schema)


def leads_sql(staged: Staged, *, creation_us: int) -> str:
    """SQL of `leads` as it is stored: fields and the creation keep what was seen first.

    A creation date from after the export that first showed it was a mistake: the one of today
    counts. A field is unknown where the mapping gives a change from before the lead's first export: what that
    export shows is the value after the change.

    Args:
        staged: The ingest. If it is dated, `states` and `changed_earlier` must be readable.
        creation_us: When a lead that never had a creation date counts as created.
    """
    first = staged.columns_seen_first()
    columns = []
    for name in staged.table("leads").schema().names:
        quoted = identifier(name)
        if name in {"event_us", "available_us"}:
            value = f"CASE WHEN n.event_us IS NULL THEN {creation_us} ELSE n.{quoted} END"
            if staged.settings.is_dated:
                value = f"CASE WHEN {CREATED_BEFORE} THEN b.{quoted} ELSE {value} END"
        elif name in first:
            value = f"CASE WHEN b.lead_id IS NULL THEN n.{quoted} ELSE b.{quoted} END"
            value = unless_changed_sql(staged, name, value, lead="n.lead_id")
        else:
            value = f"n.{quoted}"
        columns.append(f"{value} AS {quoted}")

    sql = f"SELECT {', '.join(columns)} FROM {ACCEPTED_LEADS} AS n"
    if staged.settings.is_dated:
        sql += f""" LEFT JOIN (SELECT * FROM states WHERE seq = {AT_FIRST}) AS b
            ON b.lead_id = n.lead_id"""
    return sql


def attach_earlier_changes(staged: Staged) -> None:
    """Make `changed_earlier` (lead_id, field): changes of before the first export of their lead.

    They are those that the mapping gives of a lead that this export has, or an earlier one had.
    `first_leads`, `absent_now` and `changes_now` must be readable.
    """
    staged.engine.add_result(
        "changed_earlier",
        f"""SELECT DISTINCT c.lead_id, c.field FROM ({MAPPED_CHANGES}) AS c
        JOIN first_leads AS f ON f.lead_id = c.lead_id
        WHERE c.available_us < f.known_until_us""",
    )


def unless_changed_sql(staged: Staged, name: str, value: str, *, lead: str) -> str:
    """SQL of the value of a lead that was seen first; NULL if the mapping gives an earlier change.

    Args:
        staged: The ingest; `changed_earlier` must be readable.
        name: The field.
        value: SQL of the value.
        lead: SQL of the lead's id.
    """
    can_change = name in stored_fields(staged.settings)  # a currency goes with its amount
    gives_changes = any(entry.table == "changes" for entry in staged.settings.mapping)
    if not (can_change and gives_changes):
        return value
    changed = f"SELECT lead_id FROM changed_earlier WHERE field = {literal(name)}"
    return f"CASE WHEN {lead} IN ({changed}) THEN NULL ELSE {value} END"


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
    batches = staged.engine.stream(sql, rows=WRITE_ROWS)
    return write_rows(staged.folder, schema, batches)


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
    if stored_fields(staged.settings)[name].known_from != "export":
        return f"SELECT * FROM ({states}) AS s WHERE seq > {AT_FIRST}"

    unchanged = f"""SELECT n.lead_id, f.known_until_us, {AT_FIRST} AS seq, {text} AS value,
        CAST(NULL AS VARCHAR) AS value_before
        FROM {ACCEPTED_LEADS} AS n
        JOIN first_leads AS f ON f.lead_id = n.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM states) AS s ON s.lead_id = n.lead_id
        WHERE s.lead_id IS NULL"""
    return f"SELECT * FROM ({states}) AS s UNION ALL SELECT * FROM ({unchanged}) AS u"
