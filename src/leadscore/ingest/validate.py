"""Rules that need the whole table, run on the engine: exact duplicates, one row a lead, references, time order."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from leadscore.config import Stages
from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.tables import Table

STAGED_SCHEMA = [
    pa.field("source", pa.string()),
    pa.field("line", pa.int64()),
    pa.field("row_hash", pa.int64()),
    pa.field("from_us", pa.int64()),
]


def staged_schema(table: Table) -> pa.Schema:
    """A staged row: the table's columns (a lead's event_us may be null), then where it comes from."""
    fields = [field.with_nullable(True) for field in table.schema()]
    return pa.schema(fields + STAGED_SCHEMA)


def _once(table: Table) -> str:
    """SQL of staged rows with `copy`: 1 for the first of equal rows, 2 and more for its exact duplicates."""
    columns = ", ".join([identifier(name) for name in table.schema().names] + ["row_hash"])
    name = identifier(f"staged_{table.name}")
    return f"SELECT *, ROW_NUMBER() OVER (PARTITION BY {columns} ORDER BY source, line) AS copy FROM {name}"


def judge_leads(engine: Engine, leads: Table, stages: Stages) -> None:
    """Make the table `judged_leads`: each lead_id with the rule that it breaks, or ''.

    A lead whose outcome cannot be read is refused as a whole, since without it a closed lead would look open;
    so is a lead that closed before it was created.
    """
    closing = ", ".join(literal(stage) for stage in (*stages.won, *stages.lost)) or "''"
    closes = (
        "SELECT lead_id, MIN(event_us) AS close_us FROM ("
        "SELECT lead_id, event_us FROM staged_outcomes UNION ALL "
        f"SELECT lead_id, event_us FROM staged_stages WHERE stage IN ({closing})) AS facts GROUP BY lead_id"
    )
    sql = f"""
    SELECT DISTINCT l.lead_id, CASE
        WHEN l.same_id > 1 OR u.lead_id IS NOT NULL THEN 'unique'
        WHEN r.lead_id IS NOT NULL THEN 'outcome_refused'
        WHEN c.close_us < l.from_us THEN 'closed_before_created'
        ELSE '' END AS rule
    FROM (SELECT *, COUNT(*) OVER (PARTITION BY lead_id) AS same_id FROM ({_once(leads)}) AS o WHERE copy = 1) AS l
    LEFT JOIN ({closes}) AS c ON c.lead_id = l.lead_id
    LEFT JOIN (SELECT DISTINCT lead_id FROM row_rejects WHERE "table" = 'leads') AS u ON u.lead_id = l.lead_id
    LEFT JOIN (SELECT DISTINCT lead_id FROM row_rejects WHERE closes) AS r ON r.lead_id = l.lead_id
    """
    engine.add_rows("judged_leads", engine.query(sql))


def _rule(table: Table) -> tuple[str, str]:
    """SQL (join, rule) that judges a different row of a table by the leads that stand."""
    if table.name == "leads":
        return "JOIN judged_leads AS j ON j.lead_id = o.lead_id", "j.rule"
    join = "LEFT JOIN (SELECT lead_id FROM judged_leads WHERE rule = '') AS j ON j.lead_id = o.lead_id"
    return join, "CASE WHEN j.lead_id IS NULL THEN 'reference' ELSE '' END"


def standing(table: Table) -> str:
    """SQL of the staged rows that stand: each once, and judged."""
    join, rule = _rule(table)
    return f"SELECT o.* FROM ({_once(table)}) AS o {join} WHERE o.copy = 1 AND {rule} = ''"


def placed(leads: Table, place: str) -> str:
    """SQL of lead_id and place of the leads that stand; `place` is what stands for one that the mapping does not give."""
    return f"SELECT lead_id, COALESCE(event_us, {place}) AS place FROM ({standing(leads)}) AS t"


def read_placed(engine: Engine, table: Table, *, leads: Table, place: str) -> Iterator[pa.RecordBatch]:
    """The rows that stand, in the order of their values, each with its lead's place for its times."""
    names = table.schema().names
    columns = [f"t.{identifier(name)}" for name in names if name not in ("event_us", "available_us")]
    columns += ["p.place AS event_us", "p.place AS available_us"]
    order = ", ".join(map(identifier, sorted(names, key=lambda name: name not in ("lead_id", "event_us"))))
    rows = f"({standing(table)}) AS t JOIN ({placed(leads, place)}) AS p ON p.lead_id = t.lead_id"
    yield from engine.stream(f"SELECT * FROM (SELECT {', '.join(columns)} FROM {rows}) AS o ORDER BY {order}", rows=100_000)


def read_stored(engine: Engine, table: Table, *, creation_us: int) -> Iterator[pa.RecordBatch]:
    """The rows that stand, in the order of their values; a lead without creation date gets `creation_us`."""
    names = table.schema().names
    columns = [identifier(name) for name in names if name not in ("event_us", "available_us")]
    columns.append(f"COALESCE(event_us, {creation_us}) AS event_us")
    columns.append(f"CASE WHEN event_us IS NULL THEN {creation_us} ELSE available_us END AS available_us")
    order = ", ".join(map(identifier, sorted(names, key=lambda name: name not in ("lead_id", "event_us"))))
    sql = f"SELECT {', '.join(columns)} FROM ({standing(table)}) AS t ORDER BY {order}"
    yield from engine.stream(sql, rows=100_000)


def read_refused(engine: Engine, table: Table) -> pa.Table:
    """The rows refused by a rule of this file, in the shape of `tables.REJECTS`."""
    join, rule = _rule(table)
    return engine.query(
        f"""SELECT o.source, o.line, {literal(table.name)} AS "table", {rule} AS rule, 'lead_id' AS "column",
        o.lead_id AS value, o.lead_id FROM ({_once(table)}) AS o {join} WHERE o.copy = 1 AND {rule} <> ''"""
    )


def count_duplicates(engine: Engine, table: Table) -> int:
    """How many rows repeat another one exactly."""
    return int(engine.query(f"SELECT COUNT(*) AS n FROM ({_once(table)}) AS o WHERE copy > 1")["n"][0].as_py())
