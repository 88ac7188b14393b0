"""The protocol of `leadscore.engine` on a real PostgreSQL, by SQL that SQLGlot translated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg2.extras import execute_values

from leadscore.engine.dialects import translate
from leadscore.engine.protocol import identifier

INTEGERS = {20, 21, 23}  # the type numbers of bigint, smallint and integer
TEXT = {25, 1043}


class PostgresEngine:
    """Temporary tables of one connection; texts compare by code point, as on the other engines."""

    def __init__(self, address: str) -> None:
        self._connection = psycopg2.connect(address)
        self._connection.autocommit = True

    def add_files(self, name: str, paths: Sequence[Path], *, schema: pa.Schema) -> None:
        """Read Parquet files into a table; with no file it is an empty table of that schema."""
        parts = [pq.ParquetFile(path).read() for path in paths]
        self.add_rows(name, pa.concat_tables(parts) if parts else schema.empty_table())

    def add_rows(self, name: str, rows: pa.Table) -> None:
        """Copy rows into a table, in place of one of the same name."""
        table = identifier(name)
        columns = ", ".join(_declare(field) for field in rows.schema)
        with self._connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
            cursor.execute(f"CREATE TEMPORARY TABLE {table} ({columns})")
            values = [column.to_pylist() for column in rows.columns]
            if rows.num_rows:
                tuples = list(zip(*values, strict=True))
                execute_values(cursor, f"INSERT INTO {table} VALUES %s", tuples)

    def query(self, sql: str) -> pa.Table:
        """All rows of a SELECT of ours."""
        return self.run(translate(sql, "postgres"))

    def run(self, sql: str) -> pa.Table:
        """All rows of PostgreSQL's own SQL; anything but integers and texts is an error."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall()
            columns = list(zip(*rows, strict=True)) or [()] * len(cursor.description)
            arrays = {}
            for column, values in zip(cursor.description, columns, strict=True):
                arrays[column.name] = pa.array(values, _type_of(column))
        return pa.table(arrays)

    def stream(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a SELECT, in batches of at most `rows`."""
        yield from self.query(sql).to_batches(max_chunksize=rows)

    def close(self) -> None:
        """Drop the tables."""
        self._connection.close()


def _declare(field: pa.Field) -> str:
    kind = "BIGINT" if pa.types.is_integer(field.type) else 'TEXT COLLATE "C"'
    return f"{identifier(field.name)} {kind}"


def _type_of(column: psycopg2.extensions.Column) -> pa.DataType:
    if column.type_code in INTEGERS:
        return pa.int64()
    if column.type_code in TEXT:
        return pa.string()
    raise TypeError(f"column {column.name} is neither of integers nor of text")
