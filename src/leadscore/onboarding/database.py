"""The tables of a database, and their first rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from leadscore.errors import UserError
from leadscore.ingest.readers.batch import SourceFile
from leadscore.ingest.readers.extract import extract_rows
from leadscore.ingest.readers.query import Query
from leadscore.ingest.readers.rows import RowsOfQuery
from leadscore.onboarding.profile import SAMPLE_ROWS, Profile, read_profile
from leadscore.onboarding.words import slug
from leadscore.progress import Progress
from leadscore.settings.engine import EngineSettings
from leadscore.settings.source import Source

SCHEMES = ("postgresql", "postgres", "sqlite", "duckdb")
OURS = "'information_schema', 'pg_catalog'"
TABLES_SQL = f"""SELECT CASE WHEN table_schema IN ('public', 'main') THEN table_name
        ELSE table_schema || '.' || table_name END AS name
    FROM information_schema.tables WHERE table_schema NOT IN ({OURS}) ORDER BY 1"""
SQLITE_TABLES_SQL = """SELECT name FROM sqlite_master
    WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY 1"""


def is_address(place: str) -> bool:
    """Whether a word is the address of a database rather than a file."""
    scheme, separator, _ = place.partition("://")
    return bool(separator) and scheme.partition("+")[0] in SCHEMES


def read_table_profiles(
    address: str,
    *,
    url_env: str,
    folder: Path,
    progress: Progress,
) -> list[Profile]:
    """The profiles of all tables of a database that have rows.

    Args:
        address: of the database.
        url_env: the environment variable that holds it.
        folder: where the first rows of each table wait.
        progress: called as the work goes on.

    Raises:
        SourceFormatError: it cannot be reached, or refuses.
        UserError: it has no table.
    """
    tables = list(_list_tables(address, url_env, folder))
    if not tables:
        raise UserError("the database has no table that this user may read")
    profiles = []
    for done, table in enumerate(tables):
        progress(f"looking at {table}", done, len(tables))
        quoted = ".".join(f'"{part}"' for part in table.split("."))
        sql = f"SELECT * FROM {quoted} LIMIT {SAMPLE_ROWS}"
        file = SourceFile(slug(table), folder / f"{done}.parquet", table)
        extract_rows(_query(slug(table), sql, url_env), file.path)
        profile = read_profile(RowsOfQuery(file), is_table=True)
        if profile.rows:
            profiles.append(profile)
    return profiles


def _list_tables(address: str, url_env: str, folder: Path) -> Iterator[str]:
    sql = SQLITE_TABLES_SQL if address.startswith("sqlite") else TABLES_SQL
    file = SourceFile("tables", folder / "tables.parquet", "the list of tables")
    extract_rows(_query("tables", sql, url_env), file.path)
    for batch in RowsOfQuery(file).batches(["name"], None):
        yield from batch.columns["name"].to_pylist()


def _query(source: str, sql: str, url_env: str) -> Query:
    return Query(source, Source(sql=sql, url_env=url_env), EngineSettings())
