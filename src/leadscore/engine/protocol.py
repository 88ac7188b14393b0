"""What leadscore asks of whatever runs its SQL, and how text gets into SQL safely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from leadscore.errors import LeadscoreError
from leadscore.times import DAY_US

CENTURY_US = 36_525 * DAY_US


class UnsafeNameError(LeadscoreError):
    """A name that may not stand in SQL."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} may not name a table or column in SQL; use lower-case letters, digits and _"
        )


@dataclass(frozen=True)
class BatchFunction:
    """What is made of the rows of a SELECT, wherever they are.

    Attributes:
        function: of the text and batches of rows, to batches of `schema`. It belongs to a module,
            so that its name stands for it on every machine.
        text: all that it knows beside the rows.
        schema: of what it gives.
    """

    function: Callable[[str, Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
    text: str
    schema: pa.Schema


class Engine(Protocol):
    """Runs plain ANSI SQL over int64 and text.

    The same statement gives the same values on every engine.
    """

    def add_files(
        self,
        name: str,
        paths: Sequence[Path],
        *,
        schema: pa.Schema,
        numbered: bool = False,
    ) -> None:
        """Make Parquet files readable as one table.

        With no file it is an empty table of that schema.

        With `numbered` it has one more column, `row`: the place of each row in its file, from 0 on.
        """

    def add_rows(self, name: str, rows: pa.Table) -> None:
        """Make rows in memory readable as a table, in place of one of the same name."""

    def add_result(self, name: str, sql: str) -> None:
        """Run a SELECT once, and make its rows readable as a table, in place of one of that name."""

    def query(self, sql: str) -> pa.Table:
        """All rows of a SELECT."""

    def stream(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a SELECT, in batches of about `rows`."""

    def write_files(self, sql: str, folder: Path, made: BatchFunction | None = None) -> None:
        """Write the rows of a SELECT, or what is made of them, into a folder as Parquet files."""

    def close(self) -> None:
        """Give back memory and temporary files."""


def identifier(name: str) -> str:
    """`name` in the quotes of ANSI SQL, so that a column may be called "order".

    Raises:
        UnsafeNameError: it has other characters than lower-case letters, digits and _.

    >>> identifier("order")
    '"order"'
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        raise UnsafeNameError(name)
    return f'"{name}"'


def quoted_name(name: str) -> str:
    """The name of a source's table or column in the quotes of ANSI SQL, whatever its characters.

    >>> quoted_name('3" pipe')
    '"3"" pipe"'
    """
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def day_sql() -> str:
    """SQL of the beginning of the day (UTC) of event_us.

    A century is added first: engines differ in the remainder of negative numbers, which moments
    before 1970 are.
    """
    return f"event_us - (event_us + {CENTURY_US}) % {DAY_US}"


def literal(text: str) -> str:
    """`text` as a SQL string.

    >>> literal("won't")
    "'won''t'"
    """
    return "'" + text.replace("'", "''") + "'"
