"""One SELECT over a DuckDB file that others wrote, opened so that it cannot be changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from leadscore.settings.engine import EngineSettings
from leadscore.wording import cut


class DatabaseFileError(Exception):
    """A file that cannot be opened, or a statement that it refuses; in words."""


@dataclass(frozen=True)
class FileAnswer:
    """The columns of an answer, and its rows in batches."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


@contextmanager
def ask_file(
    path: Path,
    sql: str,
    parameters: Sequence[object],
    *,
    settings: EngineSettings,
    rows: int,
) -> Iterator[FileAnswer]:
    """The answer to a statement, in batches of about `rows`.

    The database is opened read-only and closed to other files, network and extensions.

    Raises:
        DatabaseFileError: it is no database, somebody writes it, or it refuses the statement.
    """
    try:
        config = _config(settings)
        with duckdb.connect(path, read_only=True, config=config) as connection:
            _check_select(sql)
            answer: Any = connection.sql(sql, params=list(parameters))
            reader = answer.to_arrow_reader(rows)
            yield FileAnswer(reader.schema, _in_words(reader))
    except duckdb.Error as e:
        raise DatabaseFileError(_first_line(e)) from e


def _check_select(sql: str) -> None:
    statements = duckdb.extract_statements(sql)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise DatabaseFileError("it must be asked one SELECT, and nothing else")


def _config(settings: EngineSettings) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": settings.threads,
        "memory_limit": f"{settings.memory_limit_mb}MB",
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "lock_configuration": True,
    }


def _in_words(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """All batches; Arrow reports what fails while they are read."""
    try:
        yield from reader
    except (pa.ArrowException, OSError) as e:
        first_line = str(e).partition("\n")[0]
        raise DatabaseFileError(cut(first_line)) from e


def _first_line(error: duckdb.Error) -> str:
    return cut(str(error).partition("\n")[0])
