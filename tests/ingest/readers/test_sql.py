import os
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from databases import (
    PASSWORD,
    ROLE,
    create_reader,
    postgres_server,
    run_duckdb,
    run_postgres,
    run_sqlite,
)
from leadscore.errors import (
    LeadscoreError,
    MissingColumnsError,
    SourceFormatError,
    UnavailableError,
)
from leadscore.ingest.readers import extract, sql
from leadscore.ingest.readers.batch import Batch, SourceFile
from leadscore.ingest.readers.cursor import CursorValue
from leadscore.ingest.readers.extract import Extract, extract_rows
from leadscore.ingest.readers.parquet import read_parquet
from leadscore.ingest.readers.query import Query
from leadscore.ingest.readers.rows import RowsOfQuery
from leadscore.settings.engine import EngineSettings
from leadscore.settings.source import Source

QUOTED = quote(PASSWORD, safe="")
VARIABLE = "LEADSCORE_SOURCE_URL"
TYPED = """
    SELECT {n} AS n, '{id}' AS id, CAST({amount} AS DECIMAL(10, 2)) AS amount,
    CAST({size} AS DOUBLE PRECISION) AS size, {yes} AS yes, DATE '2024-05-31' AS day,
    TIMESTAMP '2024-05-31 14:00:00' AS noon, TIMESTAMP '2024-05-31 14:00:00.250' AS later,
    TIMESTAMPTZ '2024-05-31 14:00:00+02' AS zoned, {nothing} AS nothing
"""
ROWS = (
    TYPED.format(n=1, id="00012", amount="1234.5", size="2.0", yes="TRUE", nothing="NULL"),
    TYPED.format(n=2, id=" Müller: 1 ", amount="-0.01", size="1e-7", yes="FALSE", nothing="NULL"),
)
TEXT = [
    ("1", "00012", "1234.50", "2", "true", "2024-05-31", "2024-05-31T14:00:00",
     "2024-05-31T14:00:00.250000", "2024-05-31T12:00:00Z", ""),
    ("2", "Müller: 1", "-0.01", "1e-7", "false", "2024-05-31", "2024-05-31T14:00:00",
     "2024-05-31T14:00:00.250000", "2024-05-31T12:00:00Z", ""),
]  # fmt: skip
NAMES = ["n", "id", "amount", "size", "yes", "day", "noon", "later", "zoned", "nothing"]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """The addresses of a superuser and of a role with a password."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as address:
        yield address, create_reader(address)


def ask(folder: Path, address: str, *, after: Any = None, **asked: Any) -> tuple[Extract, Any]:
    """What a query gives: the extract, and its rows."""
    os.environ[VARIABLE] = address
    last = None if after is None else CursorValue(after)
    query = Query("deals", Source(**asked), EngineSettings(), last)
    path = folder / "answer.parquet"
    extract = extract_rows(query, path)
    return extract, RowsOfQuery(SourceFile("deals", path, query.name))


@pytest.fixture(autouse=True)
def _no_address_stays(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")


def refused(folder: Path, address: str, statement: str) -> str:
    """Why a statement is refused that the settings would not let through."""
    os.environ[VARIABLE] = address
    stated = Source(db_table="safe").model_dump() | {"db_table": None, "sql": statement}
    query = Query("deals", Source.model_construct(**stated), EngineSettings())
    with pytest.raises(SourceFormatError, match="cannot be read") as caught:
        extract_rows(query, folder / "answer.parquet")
    return str(caught.value)


def rows_of(rows: Any, columns: list[str] | None = None) -> list[tuple]:
    batches: list[Batch] = list(rows.batches(columns or rows.names(None), None))
    return [tuple(row.values()) for batch in batches for row in batch.columns.to_pylist()]


def test_postgresql_when_columns_have_types_then_they_read_as_those_of_parquet(tmp_path, postgres):
    _, rows = ask(tmp_path, postgres[1], sql=" UNION ALL ".join(ROWS))
    assert rows.names(None) == NAMES
    assert rows_of(rows) == TEXT
    (batch,) = rows.batches(NAMES, None)
    assert batch.typed == {"n", "amount", "size"}
    assert batch.lines.tolist() == [1, 2]


def test_duckdb_when_columns_have_types_then_they_read_as_those_of_postgresql(tmp_path):
    path = tmp_path / "crm.duckdb"
    run_duckdb(path, f"CREATE TABLE deals AS {' UNION ALL '.join(ROWS)}")
    before = path.read_bytes()
    extract, rows = ask(tmp_path, f"duckdb:///{path}", db_table="deals")
    assert rows_of(rows) == TEXT
    assert next(rows.batches(NAMES, None)).typed >= {"n", "amount", "size"}
    assert extract.moment_us == path.stat().st_mtime_ns // 1000
    assert path.read_bytes() == before


def test_parquet_when_columns_have_types_then_they_read_as_those_of_databases(tmp_path):
    run_duckdb(tmp_path / "crm.duckdb", f"COPY ({ROWS[0]}) TO '{tmp_path / 'x.parquet'}'")
    (batch,) = read_parquet(SourceFile("x", tmp_path / "x.parquet", "x.parquet"), columns=NAMES)
    assert [tuple(row.values()) for row in batch.columns.to_pylist()] == TEXT[:1]


def test_sqlite_when_a_column_mixes_types_then_every_value_is_read_as_its_own(tmp_path):
    path = tmp_path / "crm.db"
    run_sqlite(
        path,
        "CREATE TABLE deals (id, amount NUMERIC, size REAL, at TEXT)",
        "INSERT INTO deals VALUES ('00012', 12, 1, '2024-05-31 14:00:00')",
        "INSERT INTO deals VALUES (7, 1234.5, 2.5, NULL)",
        "INSERT INTO deals VALUES (NULL, 'a lot', 9007199254740993, '')",
    )
    extract, rows = ask(tmp_path, f"sqlite:///{path}", db_table="deals")
    assert rows_of(rows) == [
        ("00012", "12", "1", "2024-05-31 14:00:00"),
        ("7", "1234.5", "2.5", ""),
        ("", "a lot", "9007199254740992", ""),  # REAL: what SQLite itself keeps of it
    ]
    assert next(rows.batches(["size"], None)).typed == {"size"}
    assert extract.moment_us == path.stat().st_mtime_ns // 1000


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("1.10::numeric", "1.10"),
        ("0.00000001::numeric", "0.00000001"),
        ("'NaN'::numeric", ""),
        ("'NaN'::float", ""),
        ("12345678901234567890.12::numeric", "12345678901234567890.12"),
        ("""'{"a": [1, "ä"]}'::jsonb""", '{"a":[1,"ä"]}'),
        ("ARRAY['a', NULL]", '["a",null]'),
        ("TIME '14:00'", "14:00:00.000000"),
        ("INTERVAL '1 hour 3.5 seconds'", "3603.5"),
        ("'11111111-2222-3333-4444-555555555555'::uuid", "11111111-2222-3333-4444-555555555555"),
        ("'a:b::c %s 100%'", "a:b::c %s 100%"),
        ("'x;y -- no comment'", "x;y -- no comment"),
    ],
)
def test_postgresql_when_a_type_is_rare_then_it_has_text_as_well(
    tmp_path, postgres, expression, text
):
    _, rows = ask(tmp_path, postgres[1], sql=f"SELECT {expression} AS a;")
    assert rows_of(rows) == [(text,)]


def test_query_when_a_column_has_no_text_then_it_is_refused_only_if_it_is_read(tmp_path, postgres):
    sqlite, duck = tmp_path / "crm.db", tmp_path / "crm.duckdb"
    run_sqlite(sqlite, "CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, x'00ff')")
    run_duckdb(duck, "CREATE TABLE t AS SELECT 1 AS a, '\\xAA'::BLOB AS b")
    run_postgres(postgres[0], "CREATE TABLE t AS SELECT 1 AS a, '\\xdeadbeef'::bytea AS b")
    addresses = (f"sqlite:///{sqlite}", f"duckdb:///{duck}", postgres[1])
    for address, kind in zip(addresses, ("bytes", "binary", "memoryview"), strict=True):
        _, rows = ask(tmp_path, address, db_table="t")
        assert rows.names(None) == ["a"]
        assert rows_of(rows, ["a"]) == [("1",)]
        with pytest.raises(SourceFormatError, match=f"'b' of {kind}, which cannot be read"):
            rows_of(rows, ["b"])
        with pytest.raises(MissingColumnsError):
            rows_of(rows, ["c"])


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_query_when_it_is_fetched_in_pieces_then_rows_and_hash_are_the_same(
    tmp_path, postgres, monkeypatch, size
):
    whole, _ = ask(
        tmp_path, postgres[1], sql="SELECT g AS a, g::text AS b FROM generate_series(1, 50) g"
    )
    monkeypatch.setattr(sql, "ANSWER_ROWS", size)
    monkeypatch.setattr(sql, "MOST_ANSWER_ROWS", size)
    back, rows = ask(
        tmp_path,
        postgres[1],
        sql="SELECT g AS a, g::text AS b FROM generate_series(1, 50) g ORDER BY g DESC",
    )
    assert (back.sha256, back.rows) == (whole.sha256, 50)
    assert rows_of(rows)[0] == ("50", "50")


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ("SELECT 'b' AS a, 'c' AS b UNION ALL SELECT 'a', 'b'", False),
        ("SELECT 'a' AS a, 'b' AS b UNION ALL SELECT 'b', 'd'", True),
        ("SELECT 'a' AS a, 'b' AS b", True),
        ("SELECT 'a' AS a, 'b' AS b UNION ALL SELECT 'b', 'c' UNION ALL SELECT 'b', 'c'", True),
        ("SELECT 'a' AS a, 'b' AS c UNION ALL SELECT 'b', 'c'", True),  # another name
        ("SELECT 'a' || chr(31) || 'b' AS a, '' AS b UNION ALL SELECT 'b', 'c'", True),
    ],
)
def test_hash_when_rows_differ_in_more_than_their_order_then_it_differs(tmp_path, other, differs):
    path = tmp_path / "crm.duckdb"
    run_duckdb(path)
    first, _ = ask(
        tmp_path, f"duckdb:///{path}", sql="SELECT 'a' AS a, 'b' AS b UNION ALL SELECT 'b', 'c'"
    )
    second, _ = ask(tmp_path, f"duckdb:///{path}", sql=other)
    assert (first.sha256 != second.sha256) == differs


def test_postgresql_when_it_is_asked_then_its_clock_says_when(tmp_path, postgres):
    extract, rows = ask(
        tmp_path, postgres[1], sql="SELECT EXTRACT(epoch FROM clock_timestamp()) * 1000000 AS us"
    )
    now_us = int(Decimal(rows_of(rows)[0][0]))
    assert extract.moment_us is not None
    assert 0 <= now_us - extract.moment_us < 5_000_000


WRITES = [
    "WITH gone AS (DELETE FROM safe RETURNING *) SELECT * FROM gone",
    "SELECT * INTO copied FROM safe",
    "SELECT nextval('numbers')",
    "SELECT lo_create(0)",
    "SELECT 1) q; COMMIT; DROP TABLE safe; SELECT (1",
]


@pytest.mark.parametrize("statement", WRITES)
def test_postgresql_when_a_query_writes_then_it_is_refused_and_nothing_changes(
    tmp_path, postgres, statement
):
    run_postgres(
        postgres[0],
        "DROP TABLE IF EXISTS safe",
        "CREATE TABLE safe AS SELECT 1 AS a",
        "CREATE SEQUENCE IF NOT EXISTS numbers",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC",
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO PUBLIC",
    )
    source = Source.model_construct(
        **(Source(db_table="safe").model_dump() | {"db_table": None, "sql": statement})
    )
    os.environ[VARIABLE] = postgres[0]  # may do anything
    with pytest.raises(SourceFormatError, match="cannot be read"):
        extract_rows(Query("deals", source, EngineSettings()), tmp_path / "x.parquet")
    _, rows = ask(tmp_path, postgres[0], db_table="safe")
    assert rows_of(rows) == [("1",)]


@pytest.mark.parametrize(
    "statement",
    [
        "WITH a AS (SELECT 1 AS a) SELECT * FROM a; DROP TABLE safe",
        "COPY (SELECT 1) TO 'stolen.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH 'other.duckdb'",
    ],
)
def test_duckdb_when_a_query_reaches_out_then_it_is_refused(tmp_path, monkeypatch, statement):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "crm.duckdb"
    run_duckdb(path, "CREATE TABLE safe AS SELECT 1 AS a")
    refused(tmp_path, f"duckdb:///{path}", statement)
    assert {file.name for file in tmp_path.iterdir()} <= {"crm.duckdb", "answer.parquet"}


def test_sqlite_when_a_query_writes_then_it_is_refused(tmp_path):
    path = tmp_path / "crm.db"
    run_sqlite(path, "CREATE TABLE safe (a)", "INSERT INTO safe VALUES (1)")
    assert "readonly" in refused(tmp_path, f"sqlite:///{path}", "DELETE FROM safe RETURNING a")
    assert rows_of(ask(tmp_path, f"sqlite:///{path}", db_table="safe")[1]) == [("1",)]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", f"the environment variable {VARIABLE}"),
        ("no address", f"{VARIABLE} holds no address like postgresql://"),
        (f"postgresql://me:{PASSWORD}@host:port/db", f"{VARIABLE} holds no address"),
        (f"oracle://me:{QUOTED}@host/db", "PostgreSQL, SQLite and DuckDB"),
        (f"strange://me:{QUOTED}@host/db", "PostgreSQL, SQLite and DuckDB"),
        ("sqlite:///nowhere.db", "names no file"),
        ("sqlite://", "names no file"),
        ("duckdb:///nowhere.db", "names no file"),
        (f"postgresql://me:{PASSWORD}@127.0.0.1:1/db", f"{VARIABLE} holds no address"),
        (f"postgresql://me@127.0.0.1:1/db?password={PASSWORD}", f"{VARIABLE} holds no address"),
        (f"postgresql://me:{QUOTED}@127.0.0.1:1/db", "onnection"),
        (f"postgresql+psycopg2://me@127.0.0.1:1/db?password={QUOTED}", "onnection"),
        (f"postgresql://me@127.0.0.1:1/db?strange={QUOTED}", "strange"),
    ],
)
def test_address_when_it_leads_nowhere_then_that_is_said_without_its_secrets(
    tmp_path, address, words
):
    with pytest.raises(LeadscoreError, match=words) as caught:
        ask(tmp_path, address, db_table="deals")
    assert isinstance(caught.value, UnavailableError) == (words == "onnection")
    assert caught.value.exit_code == 2
    error: BaseException | None = caught.value
    while error is not None:
        assert "pl4nted" not in str(error)
        assert "p@ss" not in str(error)
        error = error.__cause__
    assert caught.value.__cause__ is None


def test_postgresql_when_the_password_is_wrong_or_a_table_is_missing_then_that_is_said(
    tmp_path, postgres
):
    with pytest.raises(SourceFormatError, match="password authentication failed") as caught:
        ask(tmp_path, postgres[1].replace("pl4nted", "other1"), db_table="deals")
    assert "other1" not in str(caught.value)
    with pytest.raises(SourceFormatError, match='relation "nowhere" does not exist'):
        ask(tmp_path, postgres[1], db_table="nowhere")
    with pytest.raises(SourceFormatError, match="division by zero"):
        ask(tmp_path, postgres[1], sql="SELECT 1 / (g - 3000) AS a FROM generate_series(1, 5000) g")


def test_postgresql_when_it_goes_away_while_rows_stream_then_another_try_may_succeed(
    tmp_path, postgres, monkeypatch
):
    monkeypatch.setenv(VARIABLE, postgres[1])
    query = Query(
        "deals", Source(sql="SELECT g FROM generate_series(1, 100000) g"), EngineSettings()
    )
    with sql.ask(query) as answers:
        next(answers.rows)
        run_postgres(
            postgres[0],
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'",
        )
        with pytest.raises(UnavailableError, match="connection"):
            list(answers.rows)


@pytest.mark.parametrize("address", ["sqlite", "duckdb"])
def test_database_file_when_it_is_something_else_then_that_is_said(tmp_path, address):
    path = tmp_path / "crm.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(SourceFormatError, match=r"not a (valid )?(DuckDB )?database"):
        ask(tmp_path, f"{address}:///{path}", db_table="deals")


@pytest.mark.parametrize(
    ("values", "after", "latest", "read"),
    [
        (["1", "3", "2"], None, {"kind": "number", "text": "3"}, 3),
        (["1", "3", "2"], 1, {"kind": "number", "text": "3"}, 2),
        (["1", "3", "2"], 3, None, 0),
        (["DATE '2024-01-02'", "DATE '2024-01-01'"], None, {"kind": "date", "text": "2024-01-02"}, 2),
        (["TIMESTAMPTZ '2024-01-02 00:00:00.5+00'"], None,
         {"kind": "time", "text": "2024-01-02T00:00:00.500000+00:00"}, 1),
        (["1.5::numeric", "2.25::numeric"], Decimal("1.5"), {"kind": "decimal", "text": "2.25"}, 1),
    ],
)  # fmt: skip
def test_cursor_when_it_was_seen_up_to_a_value_then_only_later_rows_come(
    tmp_path, postgres, values, after, latest, read
):
    rows = " UNION ALL ".join(f"SELECT {value} AS at, 'a:b' AS text" for value in values)
    extract, _ = ask(tmp_path, postgres[1], sql=rows, cursor="at", after=after)
    assert extract.rows == read
    stored = None if extract.latest is None else extract.latest.to_json()
    assert stored == latest
    if extract.latest is not None:
        assert CursorValue.from_json(extract.latest.to_json()) == extract.latest


def test_cursor_when_values_are_missing_or_have_no_order_then_it_is_refused(tmp_path, postgres):
    with pytest.raises(SourceFormatError, match="without a value in its cursor column"):
        ask(tmp_path, postgres[1], sql="SELECT NULL::int AS at", cursor="at", after=7)
    with pytest.raises(SourceFormatError, match="cursor column of bool"):
        ask(tmp_path, postgres[1], sql="SELECT TRUE AS at", cursor="at")
    with pytest.raises(SourceFormatError, match="no column 'at', its cursor"):
        ask(tmp_path, postgres[1], sql="SELECT 1 AS id", cursor="at")


def test_extract_when_rows_are_many_then_groups_are_small(tmp_path, monkeypatch):
    path = tmp_path / "crm.duckdb"
    run_duckdb(path)
    monkeypatch.setattr(extract, "GROUP_BYTES", 100_000)
    ask(tmp_path, f"duckdb:///{path}", sql="SELECT repeat('x', 100) AS a FROM range(50000)")
    metadata = pq.read_metadata(tmp_path / "answer.parquet")
    assert metadata.num_rows == 50_000
    assert metadata.num_row_groups > 1
    assert pa.types.is_string(pq.read_schema(tmp_path / "answer.parquet").field("a").type)
