"""Rules that need whole tables, run on the engine: one row a lead, references, time order, exact duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.forms import find_odd_ids
from leadscore.ingest.differences.source_text import text_schema
from leadscore.ingest.mapping.breaks import ROW_REJECTS, SAID
from leadscore.ingest.mapping.entries import staged_schema, table_of
from leadscore.ingest.part import IGNORED, SIDE, Part
from leadscore.settings.settings import Settings
from leadscore.store.version import object_path, write_rows
from leadscore.tables import PERSONAL, REJECTS, TABLES, Table
from leadscore.times import FOREVER_US, format_day, format_us

ONLY_LEADS = ("from_us", *(f"{name}_hash" for name in PERSONAL))

# a lead that has another row, stored or refused, is not ignored
IGNORED_SQL = """SELECT i.lead_id, MIN(i.name) AS name FROM ignored_rows AS i
    LEFT JOIN judged AS j ON j.lead_id = i.lead_id
    LEFT JOIN (SELECT DISTINCT lead_id FROM row_rejects
        WHERE "table" = 'leads' AND severity = 'refused') AS r ON r.lead_id = i.lead_id
    WHERE j.lead_id IS NULL AND r.lead_id IS NULL GROUP BY i.lead_id"""
COUNTED = ("ignored", "duplicate")  # no rules: such rows are counted, but no rejects


@dataclass(frozen=True)
class Staged:
    """The parts of an ingest, readable on an engine."""

    engine: Engine
    parts: list[Part]
    settings: Settings
    folder: Path

    def mapped_fields(self) -> list[str]:
        """The fields of leads that the mapping fills, in order."""
        mapped = {
            name
            for entry in self.settings.mapping
            if entry.table == "leads"
            for name in entry.targets()
        }
        return [name for name in self.settings.lead_fields() if name in mapped]

    def first_columns(self) -> set[str]:
        """The columns of `leads` of which the first value counts; an amount keeps its currency."""
        if not self.settings.is_dated:
            return set()
        fields = self.settings.lead_fields()
        first = {name for name in self.mapped_fields() if fields[name].known_from == "creation"}
        return first | ({"currency"} if "amount" in first else set())

    def table(self, name: str) -> Table:
        """A table's contract."""
        return table_of(name, self.settings)

    def of(self, name: str) -> list[tuple[int, Part]]:
        """The parts with rows of a table, by their place among all."""
        return [(at, part) for at, part in enumerate(self.parts) if name in part["tables"]]

    def attach(self) -> None:
        """Make the parts' objects readable: rows of table t in part 3 as t_3, the rows' places as t_side_3."""
        for name in TABLES:
            schema = (
                staged_schema(name, self.settings) if name == "leads" else self.table(name).schema()
            )
            for at, part in self.of(name):
                told = part["tables"][name]
                numbered = name != "leads"
                self.engine.add_files(
                    f"{name}_{at}", self.paths(told["rows"]), schema=schema, numbered=numbered
                )
                self.engine.add_files(
                    f"{name}_side_{at}", self.paths(told["side"]), schema=SIDE, numbered=True
                )
            self.engine.add_rows(f"{name}_none", schema.empty_table())
        for at, part in self.of("leads"):
            schema = text_schema(len(part["texts"]["columns"]))
            self.engine.add_files(f"texts_{at}", self.paths(part["texts"]), schema=schema)
        rejects = [path for part in self.parts for path in self.paths(part["rejects"])]
        self.engine.add_files("row_rejects", rejects, schema=ROW_REJECTS)
        ignored = [path for part in self.parts for path in self.paths(part["ignored_leads"])]
        self.engine.add_files("ignored_rows", ignored, schema=IGNORED)

    def paths(self, told: dict[str, Any]) -> list[Path]:
        """Where the objects of a part lie."""
        return [object_path(self.folder, file["sha256"]) for file in told["files"]]

    def rows(self, name: str) -> str:
        """SQL of a table's staged rows, with the place of their part."""
        columns = ", ".join(map(identifier, self.table(name).schema().names))
        if name == "leads":
            columns += ", line, extra, " + ", ".join(ONLY_LEADS)
        parts = [(at, f"{name}_{at}") for at, _ in self.of(name)] or [(0, f"{name}_none")]
        return " UNION ALL ".join(
            f"SELECT {at} AS part, {columns} FROM {view}" for at, view in parts
        )


def _find_not_leads(staged: Staged) -> pa.Table:
    """The undated rows (part, line, lead_id) whose id is unlike those of the dated leads of their source."""
    rows = staged.rows("leads")
    undated = staged.engine.query(
        f"SELECT DISTINCT part, line, lead_id FROM ({rows}) AS s WHERE event_us IS NULL ORDER BY part, line, lead_id"
    )
    sources = [staged.parts[at]["source"] for at in undated["part"].to_pylist()]
    odd = np.zeros(undated.num_rows, dtype=bool)
    for source in set(sources):
        parts = ", ".join(str(at) for at, part in staged.of("leads") if part["source"] == source)
        usual = staged.engine.query(
            f"SELECT lead_id FROM ({rows}) AS s WHERE event_us IS NOT NULL AND part IN ({parts})"
        )["lead_id"].combine_chunks()
        here = np.array([name == source for name in sources], dtype=bool)
        ids = undated["lead_id"].combine_chunks().filter(pa.array(here))
        odd[here] = find_odd_ids(ids, usual)
    return undated.filter(pa.array(odd))


def judge_leads(staged: Staged) -> None:
    """Make the table `judged`: each row of `leads`, once, with the rule that its lead breaks, or ''; and `ignored`.

    A lead whose outcome cannot be read is refused as a whole, since without it a closed lead would look open; so is
    a lead that closed before it was created.
    """
    closing = ", ".join(map(literal, staged.settings.stages.closing())) or "''"
    columns = ", ".join([*map(identifier, staged.table("leads").schema().names), "extra"])
    staged.engine.add_rows("not_leads", _find_not_leads(staged))
    sql = f"""
    SELECT l.*, c.close_us AS first_close_us, CASE
        WHEN n.line IS NOT NULL THEN 'not_a_lead'
        WHEN l.same_id > 1 OR u.lead_id IS NOT NULL THEN 'unique'
        WHEN r.lead_id IS NOT NULL THEN 'outcome_refused'
        WHEN c.close_us < l.from_us THEN 'closed_before_created'
        ELSE '' END AS broken_rule
    FROM (SELECT *, COUNT(*) OVER (PARTITION BY lead_id) AS same_id FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY {columns} ORDER BY part, line) AS copy
        FROM ({staged.rows("leads")}) AS s) AS o WHERE copy = 1) AS l
    LEFT JOIN not_leads AS n ON n.part = l.part AND n.line = l.line AND n.lead_id = l.lead_id
    LEFT JOIN (SELECT lead_id, MIN(event_us) AS close_us FROM (
        SELECT lead_id, event_us FROM ({staged.rows("outcomes")}) AS o UNION ALL
        SELECT lead_id, event_us FROM ({staged.rows("stages")}) AS s WHERE stage IN ({closing})) AS facts
        GROUP BY lead_id) AS c ON c.lead_id = l.lead_id
    LEFT JOIN (SELECT DISTINCT lead_id FROM row_rejects
        WHERE "table" = 'leads' AND severity = 'refused') AS u ON u.lead_id = l.lead_id
    LEFT JOIN (SELECT DISTINCT lead_id FROM row_rejects WHERE closes) AS r ON r.lead_id = l.lead_id
    """
    staged.engine.add_rows("judged", staged.engine.query(sql))
    staged.engine.add_rows("ignored", staged.engine.query(IGNORED_SQL))


def refused_leads(staged: Staged) -> pa.Table:
    """The rows of `leads` that `judge_leads` refused, in the shape of `REJECTS`."""
    found = staged.engine.query(
        "SELECT part, line, broken_rule AS rule, lead_id, event_us, first_close_us FROM judged "
        "WHERE broken_rule <> '' ORDER BY part, line"
    )
    columns, values = [], []
    for row in found.select(["rule", "lead_id", "event_us", "first_close_us"]).to_pylist():
        by_dates = row["rule"] == "closed_before_created"
        columns.append("event_at" if by_dates else "lead_id")
        values.append(_dates_of(row, zone=staged.settings.timezone) if by_dates else row["lead_id"])
    column, value = (pa.array(each, pa.string()) for each in (columns, values))
    return _as_rejects(staged, "leads", found, column=column, values=value)


def _dates_of(row: Mapping[str, Any], *, zone: str) -> str:
    """Both dates of a lead that closed before it was created."""
    created, closed = (format_day(row[name], zone=zone) for name in ("event_us", "first_close_us"))
    return f"created {created}, closed {closed}"


def late_leads(staged: Staged, *, known_until: int) -> pa.Table:
    """The leads that stand and are dated at or after known_until, in the shape of `REJECTS`: a warning."""
    found = staged.engine.query(
        f"SELECT part, line, 'after_export' AS rule, lead_id, event_us FROM judged "
        f"WHERE broken_rule = '' AND event_us IS NOT NULL AND available_us >= {known_until} ORDER BY part, line"
    )
    values = pa.array([format_us(us) for us in found["event_us"].to_pylist()], pa.string())
    return _as_rejects(staged, "leads", found, column="event_at", values=values)


def count_duplicate_leads(staged: Staged) -> int:
    """How many rows of `leads` repeat one of another part exactly."""
    both = f"SELECT (SELECT COUNT(*) FROM ({staged.rows('leads')}) AS s) AS staged, COUNT(*) AS once FROM judged"
    counts = staged.engine.query(both)
    return int(counts["staged"][0].as_py() - counts["once"][0].as_py())


@dataclass(frozen=True)
class Kept:
    """What became of a table: its files, its rejects and warnings (`REJECTS`), and how many rows went where.

    `ignored` counts the rows of leads that were ignored, by the name under which they were; `repeated` the rows that
    stay although they equal an earlier row of their file.
    """

    part: dict[str, Any]
    rejects: pa.Table
    refused: int
    duplicates: int
    ignored: dict[str, int] = field(default_factory=dict)
    repeated: int = 0


def keep_events(staged: Staged, name: str, *, known_until: int) -> Kept:
    """Judge the rows of a table of events by the leads that stand, and keep those that may stay.

    A part of which all rows stay is kept as it is, without being copied.
    """
    files: list[dict[str, Any]] = []
    rejects, refused, duplicates, repeated = [REJECTS.empty_table()], 0, 0, 0
    ignored: Counter[str] = Counter()
    _find_repeated(staged, name)
    for at, part in staged.of(name):
        told = part["tables"][name]
        broken = staged.engine.query(_broken_sql(staged, name, at, known_until=known_until))
        rules = broken["rule"].to_pylist()
        severity = [
            "" if rule in COUNTED else SAID[staged.settings.validation.severity_of(rule)]
            for rule in rules
        ]
        gone = np.array([each != SAID["warn"] for each in severity], dtype=bool)
        repeated += told["repeated"]
        if told["repeated"] and gone.any():
            repeated -= _count_repeated(staged, name, at, broken.filter(pa.array(gone)))
        if gone.any() or not staged.settings.is_dated:
            keep = np.ones(told["rows"]["rows"], dtype=bool)
            keep[broken["row"].to_numpy()[gone]] = False
            rows = (
                _kept(staged, told["rows"], keep)
                if staged.settings.is_dated
                else _placed(staged, name, at, keep)
            )
            told = {"rows": write_rows(staged.folder, staged.table(name).schema(), rows)}
        files += told["rows"]["files"]
        duplicates += rules.count("duplicate")
        ignored.update(word for word in broken["ignored_as"].to_pylist() if word is not None)
        counted = np.array([rule in COUNTED for rule in rules], dtype=bool)
        refused += int((gone & ~counted).sum())
        rejects.append(_event_rejects(staged, name, broken.filter(pa.array(~counted))))
    part = {"rows": sum(file["rows"] for file in files), "files": files}
    return Kept(
        part,
        pa.concat_tables(rejects),
        refused,
        duplicates,
        dict(sorted(ignored.items())),
        repeated,
    )


def _closing_sql(staged: Staged, name: str) -> str:
    """SQL of whether row r of a table closes its lead."""
    if name == "outcomes":
        return "1 = 1"
    closing = staged.settings.stages.closing()
    if name != "stages" or not closing:
        return "1 = 0"
    return f"r.stage IN ({', '.join(map(literal, closing))})"


def _broken_sql(staged: Staged, name: str, at: int, *, known_until: int) -> str:
    """SQL of the rows of a part that cannot stay as they are, by their place in it.

    They break a rule, repeat a row of an earlier part, or belong to a lead that was ignored.
    """
    closes = _closing_sql(staged, name)
    late = f"""({closes} AND r.event_us >= {known_until} OR NOT {closes} AND r.available_us >= {known_until})"""
    return f"""SELECT {at} AS part, s.line, r.row, r.lead_id, r.event_us, r.available_us, i.name AS ignored_as, CASE
            WHEN i.lead_id IS NOT NULL THEN 'ignored'
            WHEN j.lead_id IS NULL THEN 'reference'
            WHEN d.row IS NOT NULL THEN 'duplicate'
            WHEN r.event_us < j.from_us THEN 'before_creation'
            WHEN {closes} THEN 'close_date'
            ELSE 'after_export' END AS rule
        FROM {name}_{at} AS r
        LEFT JOIN (SELECT lead_id, from_us FROM judged WHERE broken_rule = '') AS j ON j.lead_id = r.lead_id
        LEFT JOIN ignored AS i ON i.lead_id = r.lead_id
        LEFT JOIN (SELECT row FROM repeated WHERE part = {at}) AS d ON d.row = r.row
        JOIN {name}_side_{at} AS s ON s.row = r.row
        WHERE j.lead_id IS NULL OR d.row IS NOT NULL OR r.event_us < j.from_us OR {late}
        ORDER BY r.row"""


def _find_repeated(staged: Staged, name: str) -> None:
    """Make the table `repeated`: the rows (part, row) that an earlier part has too.

    Of a row that one part has k times and another m times, max(k, m) stay: files may overlap.
    """
    places = [at for at, _ in staged.of(name)]
    if len(places) < 2:
        nothing = pa.table({"part": pa.array([], pa.int64()), "row": pa.array([], pa.int64())})
        staged.engine.add_rows("repeated", nothing)
        return
    names = [identifier(each) for each in staged.table(name).schema().names]
    columns = ", ".join(f"r.{each}" for each in names)
    rows = " UNION ALL ".join(
        f"SELECT {at} AS part, r.row, s.extra, {columns} "
        f"FROM {name}_{at} AS r JOIN {name}_side_{at} AS s ON s.row = r.row"
        for at in places
    )
    same = ", ".join([*names, "extra"])
    same_in_part = ", ".join(f"a.{each}" for each in ["part", *names, "extra"])
    likely = f"SELECT lead_id, event_us FROM ({rows}) AS a GROUP BY lead_id, event_us HAVING COUNT(*) > 1"
    counted = f"""SELECT a.*, ROW_NUMBER() OVER (PARTITION BY {same_in_part} ORDER BY a.row) AS nth
        FROM ({rows}) AS a JOIN ({likely}) AS b ON b.lead_id = a.lead_id AND b.event_us = a.event_us"""
    sql = f"""SELECT part, row FROM (
        SELECT part, row, ROW_NUMBER() OVER (PARTITION BY {same}, nth ORDER BY part) AS copy FROM ({counted}) AS c
        ) AS d WHERE copy > 1"""
    staged.engine.add_rows("repeated", staged.engine.query(sql))


def _count_repeated(staged: Staged, name: str, at: int, rows: pa.Table) -> int:
    """How many of these rows (row, lead_id) of a part equal an earlier row of it, and have no id of their own."""
    staged.engine.add_rows("asked", rows.select(["row", "lead_id"]))
    columns = ", ".join(f"r.{identifier(each)}" for each in staged.table(name).schema().names)
    numbered = f"""SELECT r.row, ROW_NUMBER() OVER (PARTITION BY {columns}, s.extra ORDER BY r.row) AS nth
        FROM {name}_{at} AS r JOIN {name}_side_{at} AS s ON s.row = r.row
        WHERE r.activity_id IS NULL AND r.lead_id IN (SELECT lead_id FROM asked)"""
    counts = staged.engine.query(
        f"SELECT COUNT(*) AS n FROM ({numbered}) AS o JOIN asked AS a ON a.row = o.row WHERE o.nth > 1"
    )
    return int(counts["n"][0].as_py())


def _kept(staged: Staged, told: dict[str, Any], keep: np.ndarray) -> Iterator[pa.RecordBatch]:
    begin = 0
    for path in staged.paths(told):
        for batch in pq.ParquetFile(path).iter_batches(250_000, use_threads=False):
            yield batch.filter(pa.array(keep[begin : begin + batch.num_rows]))
            begin += batch.num_rows


def _placed(staged: Staged, name: str, at: int, keep: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The rows of a part that stay, each at its lead's place in the order."""
    staged.engine.add_rows("staying", pa.table({"row": np.flatnonzero(keep)}))
    names = staged.table(name).schema().names
    columns = ", ".join(
        f"r.{identifier(each)}" for each in names if each not in {"event_us", "available_us"}
    )
    order = ", ".join(
        map(identifier, sorted(names, key=lambda each: each not in {"lead_id", "event_us"}))
    )
    sql = f"""SELECT {columns}, j.event_us, j.event_us AS available_us FROM {name}_{at} AS r
        JOIN staying AS s ON s.row = r.row
        JOIN (SELECT lead_id, event_us FROM judged WHERE broken_rule = '') AS j ON j.lead_id = r.lead_id"""
    yield from staged.engine.stream(f"SELECT * FROM ({sql}) AS t ORDER BY {order}", rows=100_000)


def _event_rejects(staged: Staged, name: str, broken: pa.Table) -> pa.Table:
    by_lead = pc.equal(broken["rule"], "reference")
    moments = ["" if us == FOREVER_US else format_us(us) for us in broken["event_us"].to_pylist()]
    values = pc.if_else(by_lead, broken["lead_id"], pa.array(moments, pa.string()))
    columns = pc.if_else(by_lead, "lead_id", "event_at")
    return _as_rejects(staged, name, broken, column=columns, values=values)


def _as_rejects(
    staged: Staged, name: str, found: pa.Table, *, column: Any, values: Any
) -> pa.Table:
    n, parts = found.num_rows, found["part"].to_pylist()
    rules = found["rule"].to_pylist()
    made = {
        "source": pa.array([staged.parts[at]["source"] for at in parts], pa.string()),
        "file": pa.array([staged.parts[at]["file"] for at in parts], pa.string()),
        "severity": pa.array(
            [SAID[staged.settings.validation.severity_of(rule)] for rule in rules], pa.string()
        ),
        "table": pa.array([name] * n, pa.string()),
        "column": pa.array([column] * n, pa.string()) if isinstance(column, str) else column,
        "value": values,
    }
    return pa.table(
        [
            made.get(each.name, found[each.name] if each.name not in made else None)
            for each in REJECTS
        ],
        schema=REJECTS,
    )
