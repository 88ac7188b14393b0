"""What exports showed of each lead, as source text: its row when it was first exported, and what differed later.

Append-only, and carried from version to version, so that only what the ancestors of a version saw counts. Texts are
compared before they are mapped: no edit of the settings is a change of a lead. `first_seen` is a list of blocks, rows
of leads that were new in exports with the same columns; `text_changes` are single texts. A column that appears later
is a change, too: it is known from its first export, never from the lead's creation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pyarrow as pa

from leadscore.engine.protocol import literal
from leadscore.ingest.checks.validate import Staged
from leadscore.ingest.differences.legacy import blocks_of_before, changes_of_before
from leadscore.ingest.differences.source_text import entries_of
from leadscore.ingest.mapping.personal import HASHED, PersonalHash
from leadscore.store.version import NOTHING, StoreVersion, object_path, write_rows
from leadscore.tables import TEXT_CHANGES

ROWS = 100_000
TEXT_ROWS = """SELECT part, lead_id, line, entry FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY part, line) AS copy,
        COUNT(*) OVER (PARTITION BY lead_id) AS rows_of_lead FROM ({rows}) AS r) AS t
    LEFT JOIN (SELECT lead_id AS standing FROM judged WHERE broken_rule = '') AS j ON j.standing = t.lead_id
    WHERE copy = 1 AND (rows_of_lead = 1 OR standing IS NOT NULL)"""


@dataclass(frozen=True)
class Memory:
    """What is remembered once an export was compared, as entries of the manifest."""

    blocks: list[dict[str, Any]]
    changes: dict[str, Any]

    @property
    def manifest(self) -> dict[str, Any]:
        """The entries by name."""
        return {"first_seen": self.blocks, "text_changes": self.changes}


def block_schema(width: int) -> pa.Schema:
    """A lead's first row: its id, the moment of the export, and its columns as c0, c1, ..."""
    times = pa.field("known_until_us", pa.int64(), nullable=False)
    columns = [pa.field(f"c{i}", pa.string()) for i in range(width)]
    return pa.schema([pa.field("lead_id", pa.string(), nullable=False), times, *columns])


def remember(staged: Staged, before: StoreVersion | None, *, known_until: int) -> Memory:
    """Add what an export shows to what its ancestors saw.

    Makes the tables `text_rows` (the one row of each lead in this export), `first_<place>` of each block,
    `first_leads` (when each lead was first exported) and `text_changes` readable; `judged` must be.
    """
    return _Comparison(staged, before, known_until).run()


def find_new_columns(staged: Staged, before: StoreVersion | None) -> list[str]:
    """Warnings of fields that are now read from a column that no earlier export had: their past is unknown."""
    stored = before.schema("leads") if before else None
    if before is None or stored is None or not before.manifest.get("first_seen"):
        return []
    texts = f"""SELECT DISTINCT "column" FROM text_changes WHERE known_until_us <= {before.known_until_us}"""
    seen = set(staged.engine.query(texts)["column"].to_pylist())
    seen |= {column for block in before.manifest["first_seen"] for column in block["columns"]}
    fields = [name for name in staged.mapped_fields() if name in stored.names]
    entries = [
        entry for source in staged.settings.sources for entry in entries_of(source, staged.settings)
    ]
    warnings = []
    for name in fields:
        columns = {entry.columns[name] for entry in entries if name in entry.columns}
        if columns and not columns & seen:
            warnings.append(
                f"{name} is now read from {', '.join(sorted(columns))}, which no earlier export had: what was known of "
                "it before is not used; if only the header has another name, have the old one back in the export"
            )
    return warnings


class _Comparison:
    """An export beside what its ancestors saw."""

    def __init__(self, staged: Staged, before: StoreVersion | None, known_until: int) -> None:
        self.staged, self.before, self.known_until = staged, before, known_until
        self.engine = staged.engine
        self.personal = PersonalHash.of_store(staged.folder)
        self.changed_columns: set[str] = set()

    def run(self) -> Memory:
        self.attach_export()
        blocks, changes = self.attach_before()
        changes = self.add_changes(blocks, changes)
        blocks = self.add_leads(blocks)
        attach_blocks(self.staged, blocks)
        return Memory(blocks, changes)

    def attach_export(self) -> None:
        """Make texts_<part> readable, and `text_rows`: which row of it is a lead's; none where they contradict."""
        parts = [
            f"SELECT {at} AS part, lead_id, line, entry FROM texts_{at}"
            for at, _ in self.staged.of("leads")
        ]
        self.engine.add_rows(
            "text_rows", self.engine.query(TEXT_ROWS.format(rows=" UNION ALL ".join(parts)))
        )

    def attach_before(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        if self.before is None:
            blocks, changes = [], NOTHING
        elif "first_seen" in self.before.manifest:
            blocks = self.before.manifest["first_seen"]
            changes = self.before.manifest["text_changes"]
        else:
            blocks = blocks_of_before(self.staged, self.before)
            changes = changes_of_before(self.staged)
        attach_blocks(self.staged, blocks)
        self.attach_changes(changes)
        return blocks, changes

    def attach_changes(self, changes: dict[str, Any]) -> None:
        paths = [object_path(self.staged.folder, file["sha256"]) for file in changes["files"]]
        self.engine.add_files("text_changes", paths, schema=TEXT_CHANGES)

    def add_changes(self, blocks: list[dict[str, Any]], changes: dict[str, Any]) -> dict[str, Any]:
        """The texts that differ from the latest that is known of a lead, as one more file."""
        latest = """SELECT lead_id, "column", text FROM (SELECT *, ROW_NUMBER() OVER (
            PARTITION BY lead_id, "column" ORDER BY seq DESC) AS place FROM text_changes) AS c WHERE place = 1"""
        self.engine.add_rows("latest_texts", self.engine.query(latest))
        seq = (
            self.engine.query("SELECT COALESCE(MAX(seq), -1) + 1 FROM text_changes")
            .column(0)[0]
            .as_py()
        )
        changed = self.engine.query('SELECT DISTINCT "column" FROM latest_texts')
        self.changed_columns = set(changed["column"].to_pylist())
        pairs = ((at, place) for at, _ in self.staged.of("leads") for place in range(len(blocks)))
        rows = chain.from_iterable(
            self.differences(at, place, blocks[place], seq) for at, place in pairs
        )
        new = write_rows(self.staged.folder, TEXT_CHANGES, rows)
        changes = {"rows": changes["rows"] + new["rows"], "files": changes["files"] + new["files"]}
        self.attach_changes(changes)
        return changes

    def differences(
        self, at: int, place: int, block: dict[str, Any], seq: int
    ) -> Iterator[pa.RecordBatch]:
        """What a part shows otherwise than was known of the leads of a block, in the shape of `TEXT_CHANGES`."""
        part = self.staged.parts[at]
        first = {name: f"f.c{i}" for i, name in enumerate(block["columns"])}
        cells = []
        for i, name in enumerate(part["texts"]["columns"]):
            before = f"COALESCE({first[name]}, '')" if name in first else "''"
            cell = f"{{'column': {literal(name)}, 'text': n.c{i}, 'first': {before}}}"
            may_be_back = " OR h.lead_id IS NOT NULL" if name in self.changed_columns else ""
            cells.append(f"CASE WHEN n.c{i} <> {before}{may_be_back} THEN {cell} END")
        sql = f"""SELECT d.lead_id, d.cell.column AS "column", d.cell.text AS text,
            {literal(part["source"])} AS source, {literal(part["decimal"])} AS decimal,
            CAST({self.known_until} AS BIGINT) AS known_until_us, CAST({seq} AS BIGINT) AS seq
            FROM (SELECT n.lead_id, UNNEST([{", ".join(cells)}]) AS cell
                FROM texts_{at} AS n
                JOIN text_rows AS r ON r.part = {at} AND r.lead_id = n.lead_id AND r.line = n.line
                JOIN first_{place} AS f ON f.lead_id = n.lead_id
                LEFT JOIN (SELECT DISTINCT lead_id FROM latest_texts) AS h ON h.lead_id = n.lead_id) AS d
            LEFT JOIN latest_texts AS l ON l.lead_id = d.lead_id AND l."column" = d.cell.column
            WHERE d.cell IS NOT NULL AND {self.differ("d.cell.text", "COALESCE(l.text, d.cell.first)")}
            ORDER BY d.lead_id, d.cell.column"""
        yield from self.engine.stream(sql, rows=ROWS)

    def differ(self, one: str, other: str) -> str:
        """SQL of whether two texts differ, of which one may be the other's hash."""
        mark = literal(HASHED)
        first = f"(STARTS_WITH({one}, {mark}) AND {one} = {self.personal.text_sql(other)})"
        second = f"(STARTS_WITH({other}, {mark}) AND {other} = {self.personal.text_sql(one)})"
        return f"({one} <> {other} AND NOT {first} AND NOT {second})"

    def add_leads(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The blocks, with the rows of leads that no export had before."""
        found = [{**block, "files": [*block["files"]]} for block in blocks]
        for at, _ in self.staged.of("leads"):
            part = self.staged.parts[at]
            columns = ", ".join(f"n.c{i}" for i in range(len(part["texts"]["columns"])))
            sql = f"""SELECT n.lead_id, CAST({self.known_until} AS BIGINT) AS known_until_us, {columns}
                FROM texts_{at} AS n
                JOIN text_rows AS r ON r.part = {at} AND r.lead_id = n.lead_id AND r.line = n.line
                LEFT JOIN first_leads AS f ON f.lead_id = n.lead_id
                WHERE f.lead_id IS NULL ORDER BY n.lead_id"""
            schema = block_schema(len(part["texts"]["columns"]))
            new = write_rows(self.staged.folder, schema, self.engine.stream(sql, rows=ROWS))
            kind = {
                "source": part["source"],
                "decimal": part["decimal"],
                "columns": part["texts"]["columns"],
            }
            _append(found, kind, new)
        return found


def _append(blocks: list[dict[str, Any]], kind: dict[str, Any], new: dict[str, Any]) -> None:
    """Add rows to the block of their kind."""
    if not new["rows"]:
        return
    for block in blocks:
        if all(block[key] == value for key, value in kind.items()):
            block["rows"] += new["rows"]
            block["files"] += new["files"]
            return
    blocks.append({**kind, **new})


def attach_blocks(staged: Staged, blocks: list[dict[str, Any]]) -> None:
    """Make blocks readable as first_0, first_1, ..., and `first_leads`."""
    for place, block in enumerate(blocks):
        paths = [object_path(staged.folder, file["sha256"]) for file in block["files"]]
        staged.engine.add_files(f"first_{place}", paths, schema=block_schema(len(block["columns"])))
    nothing = "SELECT lead_id, available_us AS known_until_us FROM before_leads WHERE 1 = 0"
    parts = [f"SELECT lead_id, known_until_us FROM first_{place}" for place in range(len(blocks))]
    staged.engine.add_rows(
        "first_leads", staged.engine.query(" UNION ALL ".join(parts or [nothing]))
    )
