"""What a database is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from leadscore.errors import SourceFormatError
from leadscore.ingest.readers.cursor import CursorValue
from leadscore.ingest.readers.sql_values import TextColumn
from leadscore.settings.engine import EngineSettings
from leadscore.settings.source import Source
from leadscore.wording import listed


@dataclass(frozen=True)
class Query:
    """A question to a database.

    Attributes:
        source: the name of the source.
        settings: what is asked, and where.
        engine: what a DuckDB file may use of the machine.
        after: only rows past this value of the cursor column are wanted; None for all.
    """

    source: str
    settings: Source
    engine: EngineSettings
    after: CursorValue | None = None

    @property
    def name(self) -> str:
        """What messages, rejects and manifests call its rows."""
        name = self.settings.db_table or f"query of {self.source}"
        return name if self.after is None else f"{name} after {self.after.text}"

    def refusal(self, problem: str) -> SourceFormatError:
        """The error to raise where its rows cannot be read."""
        return SourceFormatError(self.source, self.name, problem)


@dataclass(frozen=True)
class Answer:
    """Some rows, by column.

    Attributes:
        columns: all of them as text.
        cursor: the values of the cursor column as the driver gave them; None without a cursor.
    """

    columns: list[TextColumn]
    cursor: Sequence[object] | None


@dataclass(frozen=True)
class Answers:
    """What a database answers: when, in UTC microseconds, and the rows in turn."""

    moment_us: int
    names: list[str]
    rows: Iterator[Answer]


def cursor_place(query: Query, names: Sequence[str]) -> int | None:
    """Where the cursor column stands among the columns of an answer; None without a cursor.

    Raises:
        SourceFormatError: it is not there.
    """
    cursor = query.settings.cursor
    if cursor is None:
        return None
    if cursor not in names:
        raise query.refusal(f"has no column {cursor!r}, its cursor; it has {listed(names)}")
    return names.index(cursor)


def statement_of(query: Query, *, quote: Callable[[str], str], after: str) -> str:
    """The SELECT that a query stands for.

    Args:
        query: what is asked.
        quote: writes a name as the database has it.
        after: how the database has the parameter for the last value of the cursor.
    """
    settings = query.settings
    if settings.sql is not None:
        sql = settings.sql.strip().removesuffix(";")
    else:
        parts = (settings.db_table or "").split(".")
        sql = f"SELECT * FROM {'.'.join(map(quote, parts))}"
    if settings.cursor is None or query.after is None:
        return sql
    cursor = f"q.{quote(settings.cursor)}"
    # A missing value is asked for as well, so that it is refused and not passed over.
    return f"SELECT * FROM ({sql}\n) q WHERE {cursor} > {after} OR {cursor} IS NULL"
