"""What exports showed of each lead, as source text: its first row, and what differed later.

Append-only, and carried from version to version, so that only what the ancestors of a version saw
counts. Texts are compared before they are mapped: no edit of the settings is a change of a lead.
`first_seen` is a list of blocks (`blocks.py`); `text_changes` are single texts. A column that
appears later is a change, too: it is known from its first export, never from the lead's creation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from leadscore.engine.protocol import literal
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.differences.blocks import (
    Block,
    add_block,
    attach_blocks,
    block_schema,
    read_blocks,
)
from leadscore.ingest.differences.source_text import entries_of
from leadscore.ingest.mapping.personal import HASHED, PersonalHash
from leadscore.ingest.part import Part
from leadscore.ingest.sql import read_number, union_sql
from leadscore.ingest.staged import Staged
from leadscore.store.objects import NOTHING, write_rows
from leadscore.store.version import StoreVersion
from leadscore.tables import TEXT_CHANGES

WRITE_ROWS = 100_000
LATEST_TEXTS_SQL = """SELECT lead_id, "column", text FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY lead_id, "column" ORDER BY seq DESC) AS place
    FROM text_changes) AS c WHERE place = 1"""


@dataclass(frozen=True)
class Memory:
    """What is remembered of leads once an export was compared."""

    blocks: list[Block]
    changes: dict[str, Any]

    @property
    def entries(self) -> dict[str, Any]:
        """It as entries of the manifest."""
        blocks = [block.entry for block in self.blocks]
        return {"first_seen": blocks, "text_changes": self.changes}


def remember(staged: Staged, before: StoreVersion | None, *, known_until: int) -> Memory:
    """Add what an export shows to what its ancestors saw.

    Makes the tables `text_rows` (the one row of each lead in this export), `first_<place>` of each
    block, `first_leads` (when each lead was first exported) and `text_changes` readable;
    `checked_leads` must be.
    """
    return _Comparison(staged, known_until).run(before)


def find_new_columns(staged: Staged, before: StoreVersion | None) -> list[str]:
    """Warnings of fields now read from a column that no export had: their past is unknown."""
    stored = before.schema("leads") if before else None
    blocks = read_blocks(before)
    if before is None or stored is None or not blocks:
        return []
    seen = {column for block in blocks for column in block.columns}
    changed = staged.engine.query(
        f"""SELECT DISTINCT "column" FROM text_changes
        WHERE known_until_us <= {before.known_until_us}"""
    )
    seen.update(changed["column"].to_pylist())

    warnings = []
    for name in staged.mapped_fields():
        columns = _columns_of(name, staged)
        if name in stored.names and columns and not columns & seen:
            warnings.append(
                f"{name} is now read from {', '.join(sorted(columns))}, which no earlier export "
                "had: what was known of it before is not used; if only the header has another "
                "name, have the old one back in the export"
            )
    return warnings


def _columns_of(field: str, staged: Staged) -> set[str]:
    """The columns of sources that a field of leads is read from."""
    columns = set()
    for source in staged.settings.origins():
        for entry in entries_of(source, staged.settings):
            if field in entry.columns:
                columns.add(entry.columns[field])
    return columns


class _Comparison:
    """An export beside what its ancestors saw."""

    def __init__(self, staged: Staged, known_until: int) -> None:
        self.staged = staged
        self.known_until = known_until
        self.engine = staged.engine
        self.personal = PersonalHash.of_store(staged.folder)
        self.changed_columns: set[str] = set()

    def run(self, before: StoreVersion | None) -> Memory:
        blocks = read_blocks(before)
        changes = NOTHING if before is None else before.manifest["text_changes"]
        self.attach_text_rows()
        attach_blocks(self.staged, blocks)
        self.attach_changes(changes)

        changes = self.add_changes(blocks, changes)
        blocks = self.add_leads(blocks)
        attach_blocks(self.staged, blocks)
        return Memory(blocks, changes)

    def attach_text_rows(self) -> None:
        """Make `text_rows`: which row of texts_<part> is a lead's; none of contradicting ones."""
        rows = union_sql(
            f"SELECT {place} AS part, lead_id, line, entry FROM texts_{place}"
            for place, _ in self.staged.parts_of("leads")
        )
        numbered = f"""SELECT *,
            ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY part, line) AS copy,
            COUNT(*) OVER (PARTITION BY lead_id) AS rows_of_lead FROM ({rows}) AS r"""
        sql = f"""SELECT t.part, t.lead_id, t.line, t.entry FROM ({numbered}) AS t
            LEFT JOIN (SELECT lead_id FROM {ACCEPTED_LEADS} AS c) AS a ON a.lead_id = t.lead_id
            WHERE copy = 1 AND (rows_of_lead = 1 OR a.lead_id IS NOT NULL)"""
        self.engine.add_result("text_rows", sql)

    def attach_changes(self, changes: dict[str, Any]) -> None:
        """Make text_changes readable."""
        paths = self.staged.paths(changes)
        self.engine.add_files("text_changes", paths, schema=TEXT_CHANGES)

    def add_changes(self, blocks: list[Block], changes: dict[str, Any]) -> dict[str, Any]:
        """Add the texts that differ from the latest known ones of their lead, as one more file."""
        self.engine.add_result("latest_texts", LATEST_TEXTS_SQL)
        changed = self.engine.query('SELECT DISTINCT "column" FROM latest_texts')
        self.changed_columns = set(changed["column"].to_pylist())
        new = write_rows(self.staged.folder, TEXT_CHANGES, self.find_differences(blocks))

        files = changes["files"] + new["files"]
        changes = {"rows": changes["rows"] + new["rows"], "files": files}
        self.attach_changes(changes)
        return changes

    def find_differences(self, blocks: list[Block]) -> Iterator[pa.RecordBatch]:
        """What the export shows otherwise than was known, in the shape of `TEXT_CHANGES`."""
        seq = read_number(self.engine, "SELECT COALESCE(MAX(seq), -1) + 1 FROM text_changes")
        for place, part in self.staged.parts_of("leads"):
            for number, block in enumerate(blocks):
                candidates = self.candidates_sql(place, part, number, block)
                sql = self.differences_sql(part, candidates, seq)
                yield from self.engine.stream(sql, rows=WRITE_ROWS)

    def candidates_sql(self, place: int, part: Part, number: int, block: Block) -> str:
        """SQL of the cells of a part that may differ from what was known of the leads of a block.

        A cell of the export that differs from the lead's first text is a candidate, and so is any
        cell of a column that ever changed, since it may be back at the first text.
        """
        columns = part["texts"]["columns"]
        cells = ", ".join(self.cells_sql(columns, block))
        return f"""SELECT n.lead_id, UNNEST([{cells}]) AS cell
            FROM texts_{place} AS n
            JOIN text_rows AS r
                ON r.part = {place} AND r.lead_id = n.lead_id AND r.line = n.line
            JOIN first_{number} AS f ON f.lead_id = n.lead_id
            LEFT JOIN (SELECT DISTINCT lead_id FROM latest_texts) AS h
                ON h.lead_id = n.lead_id"""

    def differences_sql(self, part: Part, candidates: str, seq: int) -> str:
        """SQL of those candidates that differ from the latest known text of their cell."""
        differs = self.differ_sql("d.cell.text", "COALESCE(l.text, d.cell.first)")
        return f"""SELECT d.lead_id, d.cell.column AS "column", d.cell.text AS text,
            {literal(part["source"])} AS source, {literal(part["decimal"])} AS decimal,
            CAST({self.known_until} AS BIGINT) AS known_until_us, CAST({seq} AS BIGINT) AS seq
            FROM ({candidates}) AS d
            LEFT JOIN latest_texts AS l
                ON l.lead_id = d.lead_id AND l."column" = d.cell.column
            WHERE d.cell IS NOT NULL AND {differs}
            ORDER BY d.lead_id, d.cell.column"""

    def cells_sql(self, columns: list[str], block: Block) -> Iterator[str]:
        """SQL of each column's cell (column, text, first) where it is a candidate, else NULL."""
        first_cells = block.cells
        for i, name in enumerate(columns):
            first = "''"
            if name in first_cells:
                first = f"COALESCE(f.{first_cells[name]}, '')"
            is_candidate = f"n.c{i} <> {first}"
            if name in self.changed_columns:
                is_candidate += " OR h.lead_id IS NOT NULL"
            cell = f"{{'column': {literal(name)}, 'text': n.c{i}, 'first': {first}}}"
            yield f"CASE WHEN {is_candidate} THEN {cell} END"

    def differ_sql(self, one: str, other: str) -> str:
        """SQL of whether two texts differ, of which one may be the other's hash."""
        mark = literal(HASHED)
        is_hash = f"(STARTS_WITH({one}, {mark}) AND {one} = {self.personal.text_sql(other)})"
        is_hashed = f"(STARTS_WITH({other}, {mark}) AND {other} = {self.personal.text_sql(one)})"
        return f"({one} <> {other} AND NOT {is_hash} AND NOT {is_hashed})"

    def add_leads(self, blocks: list[Block]) -> list[Block]:
        """Add the rows of leads that no export had before."""
        for place, part in self.staged.parts_of("leads"):
            columns = part["texts"]["columns"]
            cells = "".join(f", n.c{i}" for i in range(len(columns)))
            sql = f"""SELECT n.lead_id,
                CAST({self.known_until} AS BIGINT) AS known_until_us{cells}
                FROM texts_{place} AS n
                JOIN text_rows AS r
                    ON r.part = {place} AND r.lead_id = n.lead_id AND r.line = n.line
                LEFT JOIN first_leads AS f ON f.lead_id = n.lead_id
                WHERE f.lead_id IS NULL ORDER BY n.lead_id"""
            batches = self.engine.stream(sql, rows=WRITE_ROWS)
            new = write_rows(self.staged.folder, block_schema(len(columns)), batches)
            block = Block(part["source"], part["decimal"], columns, new["rows"], new["files"])
            blocks = add_block(blocks, block)
        return blocks
