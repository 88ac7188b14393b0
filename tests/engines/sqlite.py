"""The protocol of `leadscore.engine` on Python's sqlite3, which shares no code with DuckDB."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.engine.protocol import identifier


class SQLiteEngine:
    """SQLite in memory; integers and text only, anything else that a query gives is an error."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._text_columns: dict[str, set[str]] = {}

    def add_files(self, name: str, paths: Sequence[Path], *, schema: pa.Schema) -> None:
        """Make Parquet files readable as one table; with no file it is an empty table of that schema."""
        parts = [pq.ParquetFile(path).read() for path in paths]
        self.add_rows(name, pa.concat_tables(parts) if parts else schema.empty_table())

    def add_rows(self, name: str, rows: pa.Table) -> None:
        """Make rows in memory readable as a table, in place of one of the same name."""
        table = identifier(name)
        texts = {field.name for field in rows.schema if _is_text(field.type)}
        declared = ", ".join(
            f"{identifier(column)} {'TEXT' if column in texts else 'INTEGER'}"
            for column in rows.column_names
        )
        self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        self._connection.execute(f"CREATE TABLE {table} ({declared})")
        marks = ", ".join("?" * rows.num_columns)
        values = zip(*(column.to_pylist() for column in rows.columns), strict=True)
        self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
        if "lead_id" in rows.column_names:
            self._connection.execute(
                f"CREATE INDEX {identifier(f'{name}_by_lead')} ON {table} (lead_id)"
            )
        self._text_columns[name] = texts

    def query(self, sql: str) -> pa.Table:
        """All rows of a SELECT."""
        cursor = self._connection.execute(sql)
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        columns = [
            self._column(name, [row[at] for row in rows], sql) for at, name in enumerate(names)
        ]
        return pa.table(dict(zip(names, columns, strict=True)))

    def stream(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a SELECT, in batches of at most `rows`."""
        yield from self.query(sql).to_batches(max_chunksize=rows)

    def close(self) -> None:
        """Give back memory."""
        self._connection.close()

    def _column(self, name: str, values: list[object], sql: str) -> pa.Array:
        kinds = {type(value) for value in values if value is not None}
        if kinds == {str} or (not kinds and self._is_text_column(name, sql)):
            return pa.array(values, pa.string())
        if kinds <= {int}:
            return pa.array(values, pa.int64())
        raise TypeError(
            f"column {name} is neither of integers nor of text: {sorted(map(str, kinds))}"
        )

    def _is_text_column(self, name: str, sql: str) -> bool:
        """Whether a column without a value would be text: that of the column it is, or is the extreme of."""
        extreme = re.search(rf"(\w+)\"?(?: END)?\) AS \"?{name}\b", sql)
        asked = extreme[1] if extreme else name
        texts = set().union(*self._text_columns.values())
        return asked.removeprefix("at_creation_") in texts


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
