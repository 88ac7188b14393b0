"""Keeps the rows of a query in a Parquet file, from which they are read like any other file's.

So a database is asked once and briefly, and rows that have not changed are not mapped again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.background import BackgroundWriter, temporary_parquet
from leadscore.ingest.readers.cursor import CursorError, CursorValue, latest_of
from leadscore.ingest.readers.notes import NOTES, ColumnNotes
from leadscore.ingest.readers.query import Answer, Answers, Query
from leadscore.ingest.readers.row_hash import RowHash
from leadscore.ingest.readers.sql_values import NUMBER, TEXT

GROUP_ROWS = 100_000
GROUP_BYTES = 32 << 20


@dataclass(frozen=True)
class Extract:
    """The rows of a query as they were written.

    Attributes:
        sha256: of columns and rows, in whatever order they came.
        rows: how many there are.
        moment_us: when the transaction began, in UTC microseconds.
        latest: the largest value of the cursor column; None without rows or cursor.
    """

    sha256: str
    rows: int
    moment_us: int
    latest: CursorValue | None


def extract_rows(query: Query, path: Path) -> Extract:
    """Ask a query and write its rows to a Parquet file, all columns as text.

    At most a few tens of MB of rows are in memory.

    Raises:
        SourceFormatError: the database refuses, or the cursor column says not how far the rows go.
        UnavailableError: the database cannot be reached.
    """
    from leadscore.ingest.readers.sql import ask  # SQLAlchemy takes a moment to import

    with ask(query) as answers:
        writing = _Writing(query, answers.names)
        writing.write(answers, path)
    notes = writing.notes().to_json()
    sha256 = writing.hash.hexdigest(answers.names, notes)
    return Extract(sha256, writing.hash.rows, answers.moment_us, writing.latest)


@dataclass
class _Writing:
    """Rows on their way into a file."""

    query: Query
    names: list[str]
    hash: RowHash = field(default_factory=RowHash)
    latest: CursorValue | None = None

    def __post_init__(self) -> None:
        self.kinds: list[set[str]] = [set() for _ in self.names]

    def write(self, answers: Answers, path: Path) -> None:
        fields = [(name, pa.string()) for name in self.names]
        schema = pa.schema(fields)
        with ExitStack() as stack:
            writer = stack.enter_context(temporary_parquet(path, schema))
            background = stack.enter_context(BackgroundWriter())
            tables = (self._texts(answer, schema) for answer in answers.rows)
            for rows in _grouped(tables):
                background.run(writer.write_table, rows)
            stack.callback(self._write_notes, writer)

    def _texts(self, answer: Answer, schema: pa.Schema) -> pa.Table:
        """The text of some rows, which are noted."""
        texts = [column.text for column in answer.columns]
        self.hash.add(texts)
        for kinds, column in zip(self.kinds, answer.columns, strict=True):
            kinds.update(column.kinds)
        if answer.cursor is not None:
            self._note_cursor(answer)
        return pa.table(texts, schema=schema)

    def _note_cursor(self, answer: Answer) -> None:
        try:
            latest = latest_of(answer.cursor or ())
            if self.latest is None:
                self.latest = latest
            else:
                self.latest = self.latest.latest([latest.value])
        except CursorError as e:
            raise self.query.refusal(str(e)) from e

    def notes(self) -> ColumnNotes:
        """Which columns hold only numbers, and which hold what has no text."""
        numbers = [name for name, kinds in self._columns() if kinds == {NUMBER}]
        without_text = {}
        for name, kinds in self._columns():
            strange = sorted(kinds - {NUMBER, TEXT})
            if strange:
                without_text[name] = strange[0]
        return ColumnNotes(frozenset(numbers), without_text)

    def _columns(self) -> Iterator[tuple[str, set[str]]]:
        return zip(self.names, self.kinds, strict=True)

    def _write_notes(self, writer: pq.ParquetWriter) -> None:
        notes = json.dumps(self.notes().to_json())
        writer.add_key_value_metadata({NOTES: notes})


def _grouped(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in fewer tables, none of them much larger than a row group may be."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        rows = sum(one.num_rows for one in waiting)
        size = sum(one.nbytes for one in waiting)
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
