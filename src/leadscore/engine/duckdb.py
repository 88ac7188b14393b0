"""DuckDB over Parquet: within a memory limit, spilling to disk, deterministic for integers."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.engine.protocol import BatchFunction, identifier, literal
from leadscore.errors import UnavailableError
from leadscore.locks import scratch
from leadscore.settings.engine import EngineSettings

BATCH_ROWS = 100_000  # of what is written as files
NO_ROOM = ("Out of Memory Error", "No space left on device")


class DuckDBEngine:
    """An in-memory DuckDB whose tables are Parquet files and Arrow rows."""

    def __init__(self, settings: EngineSettings) -> None:
        temporary = ExitStack()
        self._memory_mb = settings.memory_limit_mb
        self._spill = str(temporary.enter_context(scratch()))
        self._remove_spill = weakref.finalize(self, temporary.close)
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": settings.threads,
                "memory_limit": f"{settings.memory_limit_mb}MB",
                "temp_directory": self._spill,
                "preserve_insertion_order": False,
                # else what a query no longer needs is kept: 800 MB after one of 5 million leads
                "allocator_background_threads": True,
                "autoinstall_known_extensions": False,  # would download
            },
        )
        self._rows: dict[str, pa.Table] = {}  # DuckDB scans them in place, so they must stay alive
        self._results: set[str] = set()

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
        """
        if not paths:
            row = pa.field("row", pa.int64())
            shape = schema.append(row) if numbered else schema
            self.add_rows(name, shape.empty_table())
            return
        files = ", ".join(
            literal(re.sub(r"([*?[])", r"[\1]", str(path))) for path in paths
        )  # no glob
        self._forget(name)
        columns, number = (
            ("* RENAME (file_row_number AS row)", ", file_row_number = true")
            if numbered
            else ("*", "")
        )
        self._connection.execute(
            f"CREATE OR REPLACE VIEW {identifier(name)} AS SELECT {columns} FROM read_parquet([{files}]{number})"
        )

    def add_rows(self, name: str, rows: pa.Table) -> None:
        """Make rows in memory readable as a table, in place of one of the same name."""
        identifier(name)  # a name that could not be asked for later is refused now
        self._forget(name)
        self._rows[name] = rows
        self._connection.register(name, rows)

    def add_result(self, name: str, sql: str) -> None:
        """Run a SELECT once, and make its rows readable as a table, in place of one of that name.

        DuckDB keeps them within its memory, else in its temporary files.
        """
        self._forget(name)
        with self._in_words():
            self._connection.execute(f"CREATE TEMP TABLE {identifier(name)} AS {sql}")
        self._results.add(name)

    def _forget(self, name: str) -> None:
        """Drop the rows, or the result, of a name. A view of files stays, hidden by what takes its name."""
        self._rows.pop(name, None)
        self._connection.unregister(name)
        if name in self._results:
            self._connection.execute(f"DROP TABLE {identifier(name)}")
            self._results.remove(name)

    def query(self, sql: str) -> pa.Table:
        """All rows of a SELECT."""
        with self._in_words():
            return self._connection.sql(sql).to_arrow_table()

    def stream(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a SELECT, in batches of about `rows`."""
        with self._in_words():
            yield from self._connection.sql(sql).to_arrow_reader(rows)

    def write_files(self, sql: str, folder: Path, made: BatchFunction | None = None) -> None:
        """Write the rows of a SELECT, or what is made of them, into a folder as one Parquet file."""
        folder.mkdir(parents=True, exist_ok=True)
        with self._in_words():
            reader = self._connection.sql(sql).to_arrow_reader(BATCH_ROWS)
            batches: Iterator[pa.RecordBatch] = iter(reader)
            schema = reader.schema
            if made is not None:
                batches = made.function(made.text, reader)
                schema = made.schema
            with pq.ParquetWriter(folder / "part-00000.parquet", schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """What memory and disk have no room for, in words; Arrow reports it while rows are read."""
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError) as e:
            if not any(sign in str(e) for sign in NO_ROOM):
                raise
            raise UnavailableError(
                f"a query needs more than {self._memory_mb:,} MB of memory "
                "(engine.memory_limit_mb), and there is no room on the disk that it spills to "
                f"({self._spill}; TMPDIR names another)"
            ) from e

    def close(self) -> None:
        """Give back memory and temporary files."""
        self._connection.close()
        self._rows.clear()
        self._remove_spill()
