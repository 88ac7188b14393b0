"""SQLite in memory: answers about a few rows within milliseconds, where DuckDB would plan for longer."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.engine.duckdb import DuckDBEngine
from leadscore.engine.protocol import BatchFunction, identifier

MOMENT = re.compile(r"\b\d+\b")  # statements that differ in numbers alone have the same columns


class StatementTypes:
    """The columns that statements have, as DuckDB types them; SQLite gives values without a type.

    May be shared by threads. DuckDB is asked once for each statement, about empty tables.
    """

    def __init__(self, engine: DuckDBEngine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._schemas: dict[str, pa.Schema] = {}

    def schema(self, sql: str, tables: dict[str, pa.Schema]) -> pa.Schema:
        """The columns of a SELECT over tables with these columns."""
        key = MOMENT.sub("0", sql)
        if key not in self._schemas:
            with self._lock:
                for name, schema in tables.items():
                    self._engine.add_rows(name, schema.empty_table())
                self._schemas[key] = self._engine.query(sql).schema
        return self._schemas[key]


class SQLiteEngine:
    """Tables in the memory of one thread; the same statements give the same values as on DuckDB."""

    def __init__(self, types: StatementTypes) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._types = types
        self._tables: dict[str, pa.Schema] = {}

    def add_files(
        self,
        name: str,
        paths: Sequence[Path],
        *,
        schema: pa.Schema,
        numbered: bool = False,
    ) -> None:
        """Read Parquet files into a table; with no file it is an empty table of that schema."""
        if numbered:
            raise NotImplementedError("rows of files are numbered by DuckDB only")
        tables = [pq.ParquetFile(path).read(use_threads=False) for path in paths]
        self.add_rows(name, pa.concat_tables([schema.empty_table(), *tables]))

    def add_rows(self, name: str, rows: pa.Table) -> None:
        """Copy rows into a table, in place of one of the same name."""
        table = identifier(name)
        columns = ", ".join(_declare(field) for field in rows.schema)
        self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        self._connection.execute(f"CREATE TABLE {table} ({columns})")
        if rows.num_rows:
            marks = ", ".join("?" * rows.num_columns)
            values = [column.to_pylist() for column in rows.columns]
            tuples = zip(*values, strict=True)
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", tuples)
        self._tables[name] = rows.schema

    def add_result(self, name: str, sql: str) -> None:
        """Run a SELECT once, and make its rows readable as a table, in place of one of that name."""
        self.add_rows(name, self.query(sql))

    def query(self, sql: str) -> pa.Table:
        """All rows of a SELECT."""
        schema = self._types.schema(sql, self._tables)
        rows = self._connection.execute(sql).fetchall()
        columns = list(zip(*rows, strict=True)) or [()] * len(schema)
        arrays = [
            pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=schema)

    def stream(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a SELECT, in batches of at most `rows`."""
        yield from self.query(sql).to_batches(max_chunksize=rows)

    def write_files(self, sql: str, folder: Path, made: BatchFunction | None = None) -> None:
        """Not for the few rows of one lead."""
        raise NotImplementedError("files are written by DuckDB and Spark only")

    def close(self) -> None:
        """Give back the memory."""
        self._connection.close()


def _declare(field: pa.Field) -> str:
    kind = "INTEGER" if pa.types.is_integer(field.type) else "TEXT"
    return f"{identifier(field.name)} {kind}"
