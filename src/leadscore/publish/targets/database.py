"""Lists in the tables of a database: the current one, and all there were, in one transaction a list.

The address may hold a password. It is read from the environment, and stands in no message.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    URL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    insert,
    inspect,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
    SAWarning,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine

from leadscore.addresses import hide_secrets
from leadscore.errors import UnavailableError, UserError
from leadscore.publish.publication import Publication
from leadscore.settings.environment import read_address
from leadscore.settings.targets import TargetSettings
from leadscore.wording import cut, listed

DRIVERS = ("psycopg2", "psycopg", "pg8000")  # of PostgreSQL; the first that is installed is used
EXAMPLE = "postgresql://USER:PASSWORD@HOST/DATABASE"
BATCH = 2_000  # rows of a statement
KEY = String(255)
INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
CURRENT, HISTORY, LISTS = "scores", "scores_history", "scores_publications"
KEYS = {
    CURRENT: ("project", "lead_id"),
    HISTORY: ("project", "publication_id", "lead_id"),
    LISTS: ("project", "publication_id"),
}


def write_database(
    rows: pa.Table,
    publication: Publication,
    settings: TargetSettings,
    *,
    project: str,
) -> int:
    """Write a list in one transaction: `scores` is then this list, and its history has it.

    Repeating it changes nothing. A process that dies leaves the list before.

    Args:
        rows: as `typed_rows.build_table` gives them.
        publication: of the list.
        settings: of the target.
        project: whose list it is; several may share the tables.

    Returns:
        How many leads of the list before are no longer on it.

    Raises:
        UserError: there is no address or driver, or the database refuses.
        UnavailableError: it cannot be reached, or went away.
    """
    address = read_address(settings.url_env)
    if address is None:
        raise UserError(
            f"the environment variable {settings.url_env}, which should hold the address of the "
            f"database, is not set; for example {EXAMPLE}"
        )
    tables = _declare(rows.schema, settings.schema_name)
    records = [{"project": project, **row} for row in rows.to_pylist()]
    with _in_words(address):
        engine = _connect(address, settings.url_env)
        try:
            with engine.begin() as connection:
                _check_tables(connection, tables)
                return _write(connection, tables, records, publication, project)
        finally:
            engine.dispose()


def _connect(address: str, name: str) -> Engine:
    try:
        url = make_url(address)
        if url.drivername in {"postgres", "postgresql"}:
            driver = next((driver for driver in DRIVERS if find_spec(driver)), DRIVERS[0])
            url = url.set(drivername=f"postgresql+{driver}")
        _check_address(url, name)
        with warnings.catch_warnings():
            warnings.simplefilter("error", SAWarning)
            return create_engine(url, poolclass=NullPool, hide_parameters=True)
    except SAWarning as e:  # an option that would be ignored
        problem = f"the address in {name} is refused: {hide_secrets(cut(str(e)), of=address)}"
    except (NoSuchModuleError, ImportError):  # the former is an ArgumentError, too
        problem = f"no driver for the database in {name} is installed; {_advise(url)}"
    except ArgumentError:
        problem = f"{name} holds no address like {EXAMPLE}"
    raise UserError(problem)


def _check_address(url: URL, name: str) -> None:
    """Refuse an address whose database would be gone at once, or whose driver cannot wait."""
    if url.get_dialect().is_async:
        kind = url.get_backend_name()
        raise UserError(f"{name} names a driver for asyncio; begin the address with {kind}://")
    is_lite = url.get_backend_name() == "sqlite"
    is_in_memory = url.database in {None, "", ":memory:"} or url.query.get("mode") == "memory"
    if is_lite and is_in_memory:
        raise UserError(
            f"{name} names a database in memory, which would be gone at once; name a file: "
            "sqlite:////data/scores.db"
        )


def _advise(url: URL) -> str:
    kind = url.get_backend_name()
    if kind == "postgresql":
        return "pip install 'leadscore[postgres]'"
    return f"install one that SQLAlchemy knows for {kind}"


def _declare(schema: pa.Schema, schema_name: str | None) -> dict[str, Table]:
    """The three tables, with the columns of the rows."""
    metadata = MetaData(schema=schema_name)
    names = ["project", *schema.names]
    types = {"project": KEY} | {field.name: _sql_type(field) for field in schema}
    of_rows = [(name, types[name]) for name in names]
    columns = {CURRENT: of_rows, HISTORY: of_rows}
    columns[LISTS] = [
        ("project", KEY),
        ("publication_id", KEY),
        ("as_of", DateTime(timezone=True)),
        ("model_version", Text()),
        ("leads", BigInteger()),
        ("is_current", Boolean()),
    ]
    return {name: _declare_table(name, columns[name], metadata) for name in KEYS}


def _declare_table(
    name: str,
    columns: Sequence[tuple[str, TypeEngine[Any]]],
    metadata: MetaData,
) -> Table:
    keys = KEYS[name]
    declared = [Column(column, kind, primary_key=column in keys) for column, kind in columns]
    return Table(name, metadata, *declared)


def _sql_type(field: pa.Field) -> TypeEngine[Any]:
    if field.name in {"lead_id", "publication_id"}:
        return KEY
    if pa.types.is_timestamp(field.type):
        return DateTime(timezone=True)
    if pa.types.is_floating(field.type):
        return Float(53)
    return Boolean() if pa.types.is_boolean(field.type) else Text()


def _check_tables(connection: Connection, tables: Mapping[str, Table]) -> None:
    """Create tables that are missing, and refuse those that lack a column."""
    tables[CURRENT].metadata.create_all(connection)
    inspector = inspect(connection)
    for name, table in tables.items():
        stored = inspector.get_columns(name, schema=table.schema)
        missing = set(table.columns.keys()) - {column["name"] for column in stored}
        if missing:
            raise UserError(
                f"the table {table.fullname} has no column {listed(sorted(missing))}, which this "
                "release or your [routing] writes; add it with ALTER TABLE, or drop the table"
            )


def _write(
    connection: Connection,
    tables: Mapping[str, Table],
    records: Sequence[dict[str, Any]],
    publication: Publication,
    project: str,
) -> int:
    current, history, lists = tables[CURRENT], tables[HISTORY], tables[LISTS]
    about = {
        "project": project,
        "publication_id": publication.id,
        "as_of": records[0]["as_of"] if records else None,
        "model_version": publication.manifest.get("model_version"),
        "leads": len(records),
        "is_current": True,
    }
    # first, so that a second writer of the same project waits here
    earlier = lists.c.project == project
    connection.execute(lists.update().where(earlier).values(is_current=False))
    _upsert(connection, lists, [about])
    _upsert(connection, history, records)
    _upsert(connection, current, records)
    is_of_project = current.c.project == project
    is_left = is_of_project & (current.c.publication_id != publication.id)
    left = connection.execute(delete(current).where(is_left))
    return int(left.rowcount)


def _upsert(connection: Connection, table: Table, records: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or update those whose key is there."""
    keys = KEYS[table.name]
    build = INSERTS.get(connection.dialect.name)
    for start in range(0, len(records), BATCH):
        batch = list(records[start : start + BATCH])
        if build is None:
            _replace(connection, table, batch)
            continue
        statement = build(table)
        names = [column.name for column in table.columns if column.name not in keys]
        others = {name: statement.excluded[name] for name in names}
        upsert = statement.on_conflict_do_update(index_elements=list(keys), set_=others)
        connection.execute(upsert, batch)


def _replace(connection: Connection, table: Table, records: list[dict[str, Any]]) -> None:
    """The same for databases without an upsert that SQLAlchemy knows."""
    for record in records:
        statement = delete(table)
        for name in KEYS[table.name]:
            statement = statement.where(table.c[name] == record[name])
        connection.execute(statement)
    connection.execute(insert(table), records)


@contextmanager
def _in_words(address: str) -> Iterator[None]:
    """Say what a driver says is wrong, without the secrets of the address.

    The driver's own error is left out of the traceback, since it may hold them.
    """
    try:
        yield
    except (SQLAlchemyError, ValueError, OverflowError) as e:
        cause = e.orig if isinstance(e, DBAPIError) and e.orig else e
        stripped = [line.strip() for line in str(cause).splitlines()]
        lines = [line for line in stripped if line]
        problem = cut(hide_secrets(" ".join(lines[:2]), of=address))
        is_away = isinstance(e, OperationalError)
    else:
        return
    if is_away:
        raise UnavailableError(f"the database cannot be written now: {problem}")
    raise UserError(f"the database refuses: {problem}")
