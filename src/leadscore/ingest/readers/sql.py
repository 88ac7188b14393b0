"""Asks databases for rows, in a transaction that cannot write; the only home of SQLAlchemy.

The address of a database may hold a password. It is read from the environment, and stands in no
message: what a driver says of it is masked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Engine,
    Row,
    TextClause,
    create_engine,
    make_url,
    text,
)
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from leadscore.addresses import hide_secrets
from leadscore.errors import UnavailableError
from leadscore.ingest.readers.duckdb_file import ask_duckdb, written_us
from leadscore.ingest.readers.query import Answer, Answers, Query, cursor_place, statement_of
from leadscore.ingest.readers.sql_values import column_of_objects
from leadscore.settings.environment import read_address
from leadscore.wording import cut

POSTGRESQL_DRIVERS = ("psycopg2", "psycopg", "pg8000")  # the first that is installed is used
EXAMPLE = "postgresql://USER:PASSWORD@HOST/DATABASE"
READ_ONLY = {
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",  # of any transaction after it
        "SET TRANSACTION READ ONLY",
    ),
    "sqlite": ("PRAGMA query_only = ON",),
}
CLOCK = "SELECT CAST(EXTRACT(epoch FROM now()) * 1000000 AS BIGINT)"  # of PostgreSQL
FILES = ("sqlite", "duckdb")
SUPPORTED = {*READ_ONLY, "duckdb"}
REFUSALS = ("authentication failed", "no password", "does not exist", "permission", "invalid")
PARAMETER = "\x00after\x00"  # stands for the last value of the cursor until it is bound
ANSWER_ROWS = 1_000  # asked for at first; then as many as make `ANSWER_BYTES`
MOST_ANSWER_ROWS = 20_000
ANSWER_BYTES = 4 << 20  # of text; as Python objects it takes some ten times as much


@contextmanager
def ask(query: Query) -> Iterator[Answers]:
    """The rows of a query, as long as its transaction is open.

    Raises:
        SourceFormatError: there is no address or driver, or the database refuses.
        UnavailableError: the database cannot be reached, or goes away.
    """
    address = read_address(query.settings.url_env)
    if address is None:
        raise query.refusal(
            f"cannot be read: the environment variable {query.settings.url_env}, which should hold "
            f"the address of its database, is not set; for example {EXAMPLE}"
        )
    url = _url(query, address)
    if url.get_backend_name() not in SUPPORTED:
        raise query.refusal(
            "cannot be read: leadscore reads PostgreSQL, SQLite and DuckDB; export what other "
            "databases hold to Parquet"
        )
    if url.get_backend_name() == "duckdb":
        with ask_duckdb(query, _database_file(query, url)) as answers:
            yield answers
        return
    with _connect(query, url) as connection:
        yield _answers(query, connection)


@contextmanager
def _connect(query: Query, url: URL) -> Iterator[Connection]:
    """A connection in a transaction that is never committed."""
    engine = _engine(query, url)
    try:
        with ExitStack() as stack:
            with _in_words(query):
                connection = stack.enter_context(engine.connect())
                for statement in READ_ONLY.get(engine.dialect.name, ()):
                    connection.execute(text(statement))
            yield connection
    finally:
        engine.dispose()


def _engine(query: Query, url: URL) -> Engine:
    try:
        return create_engine(url, poolclass=NullPool, hide_parameters=True)
    except (NoSuchModuleError, ImportError):
        database = url.get_backend_name()
    raise query.refusal(
        f"needs a driver with which SQLAlchemy reads {database}; for PostgreSQL: "
        "pip install 'leadscore[postgres]'"
    )


def _url(query: Query, address: str) -> URL:
    """The parsed address; nothing of one that cannot be parsed is shown."""
    url = _parse(address)
    if url is None:
        raise query.refusal(
            f"cannot be read: {query.settings.url_env} holds no address like {EXAMPLE}; special "
            "characters in a password are written like %40 for @"
        )
    if url.drivername in {"postgres", "postgresql"}:
        driver = next((name for name in POSTGRESQL_DRIVERS if find_spec(name)), "psycopg2")
        url = url.set(drivername=f"postgresql+{driver}")
    if url.get_backend_name() == "sqlite":
        _database_file(query, url)
    return url


def _parse(address: str) -> URL | None:
    """An address in its parts; None for what is none.

    Behind an @ within a password, a part of it would be taken for the host and shown.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return None
    is_file = url.get_backend_name() in FILES
    return url if is_file or address.count("@") <= 1 else None


def _database_file(query: Query, url: URL) -> Path:
    """The file of a database that is one.

    Raises:
        SourceFormatError: there is none; SQLite would make it.
    """
    path = Path(url.database or "")
    if not path.is_file():
        raise query.refusal(f"cannot be read: {query.settings.url_env} names no file that exists")
    return path


def _answers(query: Query, connection: Connection) -> Answers:
    """What the database answers; the transaction begins with the question for its clock."""
    with _in_words(query):
        moment_us = _moment_us(connection)
        streaming = connection.execution_options(stream_results=True)
        result = streaming.execute(_statement(query, connection))
    names = list(result.keys())
    place = cursor_place(query, names)
    return Answers(moment_us, names, _read_rows(query, result, place))


def _moment_us(connection: Connection) -> int:
    """When the transaction began, by the clock of the database; of a file, when it was written."""
    if connection.dialect.name == "sqlite":
        return written_us(Path(connection.engine.url.database or ""))
    return int(connection.execute(text(CLOCK)).scalar_one())


def _statement(query: Query, connection: Connection) -> TextClause:
    """The SELECT, its parameter bound."""
    quote = connection.dialect.identifier_preparer.quote
    sql = statement_of(query, quote=quote, after=PARAMETER)
    # SQLAlchemy would take any `:word` for a parameter, even in a text.
    escaped = sql.replace(":", r"\:")
    statement = text(escaped.replace(PARAMETER, ":after"))
    if query.after is None:
        return statement
    return statement.bindparams(after=query.after.value)


def _read_rows(query: Query, result: CursorResult[Any], cursor: int | None) -> Iterator[Answer]:
    """All rows, so many at a time that they fit into little memory."""
    size = ANSWER_ROWS
    while rows := _fetch(query, result, size):
        values = list(zip(*rows, strict=True))
        columns = [column_of_objects(column) for column in values]
        yield Answer(columns, None if cursor is None else values[cursor])
        read = sum(column.text.nbytes for column in columns)
        fitting = size * ANSWER_BYTES // max(read, 1)
        size = max(1, min(fitting, 2 * size, MOST_ANSWER_ROWS))


def _fetch(query: Query, result: CursorResult[Any], size: int) -> Sequence[Row[Any]]:
    with _in_words(query):
        return result.fetchmany(size)


@contextmanager
def _in_words(query: Query) -> Iterator[None]:
    """Say what a driver says is wrong, without the secrets of the address.

    The driver's own error is left out of the traceback, since it may hold them.

    Raises:
        UnavailableError: no connection came about, or it broke.
        SourceFormatError: anything else.
    """
    try:
        yield
    except (SQLAlchemyError, ValueError, OverflowError) as e:
        problem = _describe(e, address=read_address(query.settings.url_env) or "")
        is_away = _is_away(e, problem)
    else:
        return
    if is_away:
        raise UnavailableError(f"source {query.source!r}: {query.name} cannot be read: {problem}")
    raise query.refusal(f"cannot be read: {problem}")


def _is_away(error: Exception, problem: str) -> bool:
    """Whether no connection came about, or it broke: then another try may succeed."""
    if not isinstance(error, OperationalError):
        return False
    is_connecting = error.statement is None
    is_refused = any(words in problem for words in REFUSALS)
    return error.connection_invalidated or (is_connecting and not is_refused)


def _describe(error: Exception, *, address: str) -> str:
    """The first lines of what a driver says, without the secrets of an address."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    lines = [line.strip() for line in str(cause).splitlines()]
    lines = [line for line in lines if line]
    first_two = " ".join(lines[:2])
    return cut(hide_secrets(first_two, of=address))
