"""Asks DuckDB files for rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leadscore.engine.database_file import DatabaseFileError, FileAnswer, ask_file
from leadscore.engine.protocol import quoted_name
from leadscore.ingest.readers.query import Answer, Answers, Query, cursor_place, statement_of
from leadscore.ingest.readers.sql_values import column_of_arrow

ANSWER_ROWS = 20_000


@contextmanager
def ask_duckdb(query: Query, path: Path) -> Iterator[Answers]:
    """The rows of a query to a DuckDB file, as long as it is open.

    Raises:
        SourceFormatError: it is no database, somebody writes it, or it refuses the query.
    """
    sql = statement_of(query, quote=quoted_name, after="?")
    parameters = [] if query.after is None else [query.after.value]
    moment_us = written_us(path)
    try:
        with ask_file(path, sql, parameters, settings=query.engine, rows=ANSWER_ROWS) as answer:
            names = answer.schema.names
            yield Answers(moment_us, names, _read_rows(answer, cursor_place(query, names)))
    except DatabaseFileError as e:
        raise query.refusal(f"cannot be read: {e}") from e


def written_us(path: Path) -> int:
    """When a database file was written last, in UTC microseconds, its log of changes included."""
    logs = (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}.wal"))
    files = [file for file in (path, *logs) if file.exists()]
    return max(file.stat().st_mtime_ns for file in files) // 1000


def _read_rows(answer: FileAnswer, cursor: int | None) -> Iterator[Answer]:
    for batch in answer.batches:
        columns = [column_of_arrow(column) for column in batch.columns]
        values = None if cursor is None else batch.column(cursor).to_pylist()
        yield Answer(columns, values)
