"""What a log of changes says of the time before its first row.

A log with old and new values tells more than its new values do: the first old value counted since
the creation of the lead, and what has no row in the log has not changed since. The second matters
as much as the first: if only leads that will change showed a value, having one would tell the
future.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.differences.states import AT_FIRST
from leadscore.ingest.sql import literals_sql, read_number, storing_order, union_sql
from leadscore.ingest.staged import Staged
from leadscore.settings.mapping import BEFORE, STAGE_NOW
from leadscore.settings.memory import stored_fields
from leadscore.wording import counted, listed

MOST_SHOWN = 5  # unknown stages

# `log`: lead_id, field, value, before, seq, event_us. Of rows of one moment, the one whose old value
# is no other's new one comes first.
ORDERED_SQL = f"""SELECT g.*, a.event_us AS created_us, a.available_us AS known_us,
    ROW_NUMBER() OVER of_field AS place, LAG(g.value) OVER of_field AS previous
    FROM (SELECT l.*, p.value IS NOT NULL AS follows FROM log AS l
        LEFT JOIN (SELECT DISTINCT lead_id, field, event_us, seq, value FROM log) AS p
            ON p.lead_id = l.lead_id AND p.field = l.field AND p.event_us = l.event_us
            AND p.seq = l.seq AND p.value = l.before) AS g
    JOIN {ACCEPTED_LEADS} AS a ON a.lead_id = g.lead_id
    WINDOW of_field AS (
        PARTITION BY g.lead_id, g.field ORDER BY g.event_us, g.seq, g.follows, g.value)"""

FIRST_SQL = """SELECT lead_id, field, before AS value, seq - 1 AS seq,
    LEAST(event_us, created_us) AS event_us,
    CASE WHEN created_us IS NULL THEN event_us ELSE known_us END AS available_us
    FROM ordered_log WHERE place = 1 AND before IS NOT NULL"""
CONTRADICTIONS_SQL = """SELECT COUNT(*) AS n FROM ordered_log
    WHERE place > 1 AND before IS DISTINCT FROM previous"""


@dataclass(frozen=True)
class EarlierRows:
    """Rows of a table that say what was before the first row of a lead, and warnings."""

    rows: pa.Table
    warnings: list[str]


def find_earlier_rows(staged: Staged, name: str) -> EarlierRows:
    """The rows that a table gains by what its log says of the time before its rows.

    `checked_leads` and `states` must be readable. The rows have the schema of the table.
    """
    schema = staged.table(name).schema()
    if not (name in BEFORE and staged.settings.gives_before(name)):
        return EarlierRows(schema.empty_table(), [])
    staged.engine.add_result("log", _log_sql(staged, name))
    staged.engine.add_result("ordered_log", ORDERED_SQL)

    unchanged = _unchanged_sql(staged, name)
    facts = union_sql([FIRST_SQL, *unchanged])
    order = storing_order(schema.names)
    if name == "stages":
        open_stages = literals_sql(_open_stages(staged))
        facts = f"""SELECT lead_id, value AS stage, seq, event_us, available_us
            FROM ({facts}) AS f WHERE value IN ({open_stages})"""
    columns = ", ".join(map(identifier, schema.names))
    rows = staged.engine.query(f"SELECT {columns} FROM ({facts}) AS e ORDER BY {order}")
    return EarlierRows(rows.cast(schema), list(_warn(staged, name)))


def _log_sql(staged: Staged, name: str) -> str:
    """SQL of all rows of a table, with what was before them."""
    value, field = ("stage", "'stage'") if name == "stages" else ("value", "r.field")
    return union_sql(
        f"""SELECT DISTINCT r.lead_id, {field} AS field, r.{value} AS value, s.before, r.seq,
        r.event_us FROM {name}_{place} AS r JOIN {name}_side_{place} AS s ON s.row = r.row"""
        for place, _ in staged.parts_of(name)
    )


def _unchanged_sql(staged: Staged, name: str) -> Iterator[str]:
    """For each value that the log follows: SQL of what it is of leads that have no row in the log.

    A lead from before the log begins is left out: its changes may be older than the log.
    """
    if name == "stages":
        if STAGE_NOW in staged.settings.mapped_of_leads():
            yield _unchanged_field_sql("stage", f"a.{STAGE_NOW}")
        return
    for field in sorted(_logged_fields(staged).intersection(staged.mapped_fields())):
        column = identifier(field)
        first = f"CASE WHEN b.lead_id IS NULL THEN a.{column} ELSE b.{column} END"
        yield _unchanged_field_sql(field, f"CAST({first} AS VARCHAR)")


def _unchanged_field_sql(field: str, value: str) -> str:
    of_field = f"field = {literal(field)}"
    return f"""SELECT a.lead_id, {literal(field)} AS field, {value} AS value, 0 AS seq,
        a.event_us, a.available_us
        FROM {ACCEPTED_LEADS} AS a
        LEFT JOIN (SELECT * FROM states WHERE seq = {AT_FIRST}) AS b ON b.lead_id = a.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM log WHERE {of_field}) AS g
            ON g.lead_id = a.lead_id
        WHERE g.lead_id IS NULL AND {value} IS NOT NULL
            AND a.event_us >= (SELECT MIN(event_us) FROM log WHERE {of_field})"""


def _logged_fields(staged: Staged) -> set[str]:
    """The fields whose rows of `changes` say what was before them."""
    fields: set[str] = set()
    for entry in staged.settings.entries("changes"):
        if BEFORE["changes"] not in entry.targets():
            continue
        named = entry.values_of("field")
        fields |= named or set(stored_fields(staged.settings))
    return fields


def _open_stages(staged: Staged) -> list[str]:
    stages = staged.settings.stages
    return [name for name in stages.order() if name not in stages.closing()]


def _warn(staged: Staged, name: str) -> Iterator[str]:
    contradicting = read_number(staged.engine, CONTRADICTIONS_SQL)
    if contradicting:
        rows = counted(contradicting, "row", "rows")
        yield (
            f"{rows} of {name}: the value before the change is not the one that the row before "
            "gave: a change is missing between them, and nobody knows when it was"
        )
    if name == "stages":
        yield from _warn_of_stages(staged)


def _warn_of_stages(staged: Staged) -> Iterator[str]:
    known = literals_sql(staged.settings.stages.order())
    unknown = staged.engine.query(
        f"""SELECT before, COUNT(*) AS n FROM ordered_log
        WHERE place = 1 AND before IS NOT NULL AND before NOT IN ({known})
        GROUP BY before ORDER BY n DESC, before"""
    )
    if unknown.num_rows:
        leads = counted(sum(unknown["n"].to_pylist()), "lead was", "leads were")
        names = listed(unknown["before"].to_pylist(), most=MOST_SHOWN)
        yield (
            f"{leads} first in a stage that is not among stages: {names}; the stage at creation is "
            "not known"
        )
    if STAGE_NOW not in staged.settings.mapped_of_leads():
        yield (
            "stage_before: leads that never changed their stage have no row in the log, so that a "
            "known stage would give away that a change comes. Add the column with the stage of "
            f'today to the mapping entry of leads: columns = {{ ..., {STAGE_NOW} = "StageName" }}'
        )
