"""Spark SQL over Parquet: the same statements as on DuckDB, on as many machines as there are."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.engine.dialects import translate
from leadscore.engine.protocol import BatchFunction, identifier
from leadscore.errors import UnavailableError, UserError
from leadscore.settings.engine import EngineSettings
from leadscore.wording import cut

INSTALL = "run `pip install 'leadscore[spark]'` and install Java 17"
CURES = {
    "No space left on device": "the disk is full where Spark spills (spark.local.dir)",
    "OutOfMemoryError": "give executors more memory (spark.executor.memory)",
    "OutOfMemory": "give executors more memory (spark.executor.memory)",
    "maxResultSize": "the answer is too large for one machine (engine.memory_limit_mb)",
    "ExecutorLostFailure": "executors were lost more often than a task may be repeated "
    "(spark.task.maxFailures); too little memory (spark.executor.memory) is the usual reason",
}


class SparkEngine:
    """A session of its own in the process's Spark; its tables are temporary views."""

    def __init__(self, settings: EngineSettings) -> None:
        with _in_words():
            self.session = _open_session(settings)
        self._tables: set[str] = set()

    def add_files(
        self,
        name: str,
        paths: Sequence[Path],
        *,
        schema: pa.Schema,
        numbered: bool = False,
    ) -> None:
        """Make Parquet files, which all executors can open, readable as one table.

        With no file it is an empty table of that schema.
        """
        if numbered:
            raise NotImplementedError("rows of files are numbered by DuckDB only")
        if not paths:
            self.add_rows(name, schema.empty_table())
            return
        files = [re.sub(r"([\\*?\[\]{}])", r"\\\1", _locate(path)) for path in paths]  # no glob
        with _in_words():
            self._add(name, self.session.read.parquet(*files))

    def add_rows(self, name: str, rows: pa.Table) -> None:
        """Send rows to Spark and make them readable as a table, in place of one of the same name."""
        with _in_words():
            self._add(name, self.session.createDataFrame(rows))

    def add_result(self, name: str, sql: str) -> None:
        """Run a SELECT once, and make its rows readable as a table, in place of one of that name."""
        self.add_rows(name, self.query(sql))

    def query(self, sql: str) -> pa.Table:
        """All rows of a SELECT, brought to this machine."""
        with _in_words():
            return self._frame(sql).toArrow()

    def stream(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a SELECT, in batches of at most `rows`."""
        yield from self.query(sql).to_batches(max_chunksize=rows)

    def write_files(self, sql: str, folder: Path, made: BatchFunction | None = None) -> None:
        """Write the rows of a SELECT, or what executors make of them, a Parquet file a partition.

        A task that fails is done again elsewhere, and only whole files get into the folder.
        """
        with _in_words():
            frame = self._frame(sql)
            if made is not None:
                frame = self._map(frame, made)
            frame.write.mode("append").parquet(_locate(folder))

    def _map(self, frame: Any, made: BatchFunction) -> Any:
        """What executors make of rows; the text is sent to each of them once."""
        from pyspark.sql.pandas.types import from_arrow_schema

        function = made.function
        text = self.session.sparkContext.broadcast(made.text)

        def apply(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            yield from function(text.value, batches)

        schema = from_arrow_schema(made.schema, prefer_timestamp_ntz=False)
        return frame.mapInArrow(apply, schema)

    def _frame(self, sql: str) -> Any:
        """The rows of a SELECT, still where Spark has them."""
        return self.session.sql(translate(sql, "spark"))

    def close(self) -> None:
        """Forget the tables; Spark itself goes on, since others may use it."""
        for name in self._tables:
            self.session.catalog.dropTempView(name)

    def _add(self, name: str, frame: Any) -> None:
        identifier(name)  # a name that could not be asked for later is refused now
        frame.createOrReplaceTempView(name)
        self._tables.add(name)


def _open_session(settings: EngineSettings) -> Any:
    """A session with temporary views of its own.

    Where Spark runs is what its own settings say (spark-submit, spark-defaults.conf), else here.
    """
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is None:
        builder = SparkSession.builder.appName("leadscore")
        builder = builder.config("spark.driver.memory", f"{settings.memory_limit_mb}m")
        builder = builder.config("spark.ui.showConsoleProgress", "false")
        running = builder.getOrCreate()
    master = running.sparkContext.master or ""
    if master.startswith("local["):
        running.sparkContext.pythonExec = sys.executable  # else the first python3 of the PATH
    session = running.newSession()
    session.conf.set("spark.sql.ansi.enabled", "true")  # an overflow is an error, not a value
    session.conf.set("spark.sql.session.timeZone", "UTC")
    session.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    return session


def _locate(path: Path) -> str:
    """A path that Spark looks for in the file system, whatever storage is its default."""
    return f"file:{path.absolute()}"


@contextmanager
def _in_words() -> Iterator[None]:
    """Spark's failures, in words."""
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
    except ImportError as e:
        raise UserError(f"engine.kind = 'spark', but PySpark is not installed: {INSTALL}") from e
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # PySpark's of pandas 3, in all it does
            yield
    except (PySparkException, Py4JError) as e:
        if "JAVA_GATEWAY_EXITED" in str(e) or "JAVA_HOME" in str(e):
            raise UserError(f"Spark does not start, since it needs Java: {INSTALL}") from e
        cures = [cure for sign, cure in CURES.items() if sign in str(e)]
        cure = f"; {cures[0]}" if cures else ""
        raise UnavailableError(f"Spark failed: {_first_line(e)}{cure}") from e


def _first_line(error: Exception) -> str:
    """What failed first, as the last cause of a Java exception says it."""
    lines = [line.strip() for line in str(error).splitlines()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    first = causes[-1] if causes else next(filter(None, lines), "no reason given")
    return cut(first.removeprefix("Caused by: "))
