"""SQL that a user wrote: checked first, then run in a DuckDB that reaches nothing but its tables.

The check reads the statement's syntax tree, so that a refusal comes in our words. The database is
closed as well: it opens no file but the staged ones, no network, no extension, and keeps its
settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from leadscore.engine.protocol import identifier, literal
from leadscore.locks import scratch
from leadscore.settings.engine import EngineSettings
from leadscore.wording import cut

TABLE_FUNCTIONS = {"generate_series", "json_each", "range", "unnest"}
QUERIES = {"CTE_NODE", "RECURSIVE_CTE_NODE", "SELECT_NODE", "SET_OPERATION_NODE"}
CLOCK_WORDS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
ONE_SELECT = "must be one SELECT, and nothing else"
QUOTES_DATA = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)


class SelectError(Exception):
    """A statement that is refused or fails; the message goes after the name of its view."""


@dataclass(frozen=True)
class Select:
    """A statement that may run: its text, and the tables it reads, in lower case."""

    sql: str
    tables: frozenset[str]


@cache
def read_select(sql: str) -> Select:
    """A statement, checked.

    Raises:
        SelectError: it is not one SELECT, or it reads files, settings, the clock or chance.

    >>> sorted(read_select("SELECT * FROM deals JOIN People USING (id)").tables)
    ['deals', 'people']
    """
    nodes = list(walk(parse_select(sql)))
    named_within: set[str] = set()
    for node in nodes:
        named_within |= {entry["key"].lower() for entry in _common_tables(node)}

    tables: set[str] = set()
    for node in nodes:
        _refuse_reach(node)
        if node.get("type") == "BASE_TABLE":
            tables.add(_table_name(node))
    return Select(sql, frozenset(tables - named_within))


@cache
def parse_select(sql: str) -> dict[str, Any]:
    """The syntax tree of the one SELECT in a text."""
    with duckdb.connect(":memory:") as parser:
        try:
            row = parser.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        except duckdb.Error as e:
            raise SelectError(f"is no SQL that can be read: {_first_line(e)}") from e
    tree: dict[str, Any] = {"error": True}
    if row:
        tree = json.loads(row[0])
    if tree["error"] and tree.get("error_type") != "not implemented":
        raise SelectError(f"is no SQL that can be read: {_syntax_error(tree, sql)}")
    if tree["error"] or len(tree["statements"]) != 1:
        raise SelectError(ONE_SELECT)
    return tree


def _syntax_error(tree: Mapping[str, Any], sql: str) -> str:
    """What is wrong with a text that is no SQL, and where."""
    message = str(tree.get("error_message", ""))
    problem = cut(message.partition("\n")[0])
    position = str(tree.get("position", ""))
    if not position.isdigit():
        return problem
    before = sql[: int(position)]
    line = before.count("\n") + 1
    last_words = " ".join(before.split()[-3:])
    return (
        f"{problem} in line {line}, after {last_words!r}; a column whose name is a word of SQL "
        'needs "quotes"'
    )


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """A node of the tree and all nodes below it."""
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from walk(child)
    if isinstance(node, list):
        for child in node:
            yield from walk(child)


def _common_tables(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tables that a node's WITH defines."""
    defined = node.get("cte_map")
    return defined["map"] if isinstance(defined, dict) else []


def _table_name(node: Mapping[str, Any]) -> str:
    path = [part.lower() for part in node["qualified_name"]["path"]]
    if len(path) > 1 and path[:-1] != ["main"]:
        raise SelectError(f"reads {'.'.join(path)}; a view reads sources and earlier views only")
    return str(path[-1])


def _refuse_reach(node: Mapping[str, Any]) -> None:
    """Refuse a node that reaches outside the tables, or whose result changes from run to run."""
    kind = str(node.get("type"))
    if kind.endswith("_NODE") and kind not in QUERIES:
        raise SelectError(ONE_SELECT)
    if kind == "SHOW_REF":
        raise SelectError("describes the database; a view reads sources and earlier views only")
    if kind == "TABLE_FUNCTION":
        name = node["function"]["function_name"].lower()
        if name not in TABLE_FUNCTIONS:
            raise SelectError(f"calls {name}(); a view reads sources and earlier views only")
    changing = _find_changing(node)
    if changing is not None:
        raise SelectError(
            f"uses {changing}, which may give another result tomorrow from the same files; "
            "compute from columns only"
        )


def _find_changing(node: Mapping[str, Any]) -> str | None:
    """What in a node depends on the clock, on chance or on the session, or None."""
    if node.get("sample"):
        return "a sample"
    if node.get("class") == "FUNCTION":
        name = str(node["function_name"]).lower()
        return f"{name}()" if name in _changing_functions() else None
    if node.get("class") == "COLUMN_REF":
        word = ".".join(node["column_names"]).lower()
        return word if word in CLOCK_WORDS else None
    return None


@cache
def _changing_functions() -> frozenset[str]:
    """The functions whose result depends on more than their arguments."""
    sql = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
    with duckdb.connect(":memory:") as catalogue:
        rows = catalogue.execute(sql).fetchall()
        return frozenset(name for (name,) in rows)


class ClosedDatabase:
    """Tables from Parquet files, and the results of statements over them, of one thread's order.

    One thread keeps rows in order, so that the same files give the same rows in the same places.
    """

    def __init__(self, settings: EngineSettings, tables: Mapping[str, Sequence[Path]]) -> None:
        self._seconds = settings.view_seconds
        self._memory_mb = settings.memory_limit_mb
        self._temporary = ExitStack()
        spill = self._temporary.enter_context(scratch())
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": f"{settings.memory_limit_mb}MB",
                "temp_directory": str(spill),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
            },
        )
        files = [path for paths in tables.values() for path in paths]
        self._do(f"SET allowed_paths = [{_literals(files)}]")
        self._do("SET enable_external_access = false")
        self._do("SET lock_configuration = true")
        for name, paths in tables.items():
            rows = f"SELECT * FROM read_parquet([{_literals(paths)}], union_by_name = true)"
            self._do(f"CREATE VIEW {identifier(name)} AS {rows}")

    def add_result(self, name: str, select: Select) -> int:
        """Keep a statement's rows as a table; returns how many there are.

        Raises:
            SelectError: it fails, takes too long, or needs more memory and disk than there is.
        """
        self._run(f"CREATE TABLE {identifier(name)} AS {select.sql.rstrip().rstrip(';')}")
        return self.count(name)

    def count(self, name: str) -> int:
        """The number of rows of a table."""
        rows = self._do(f"SELECT COUNT(*) FROM {identifier(name)}")
        return int(rows[0][0])

    def schema(self, name: str) -> pa.Schema:
        """The columns of a table."""
        empty = self._connection.sql(f"SELECT * FROM {identifier(name)} LIMIT 0")
        return empty.to_arrow_table().schema

    def stream(self, name: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """All rows of a table, in batches of about `rows`."""
        table = self._connection.sql(f"SELECT * FROM {identifier(name)}")
        yield from table.to_arrow_reader(rows)

    def _do(self, sql: str) -> list[Any]:
        return self._connection.execute(sql).fetchall()

    def _run(self, sql: str) -> None:
        """Run a user's statement, every failure in words."""
        watch = Timer(self._seconds, self._connection.interrupt)
        watch.daemon = True
        watch.start()
        try:
            self._do(sql)
        except duckdb.InterruptException as e:
            raise SelectError(
                f"took longer than {self._seconds:,} seconds (engine.view_seconds)"
            ) from e
        except duckdb.OutOfMemoryException as e:
            raise SelectError(
                f"needs more than {self._memory_mb:,} MB of memory (engine.memory_limit_mb), or "
                "more disk than there is"
            ) from e
        except duckdb.PermissionException as e:
            raise SelectError("reaches outside; a view reads sources and earlier views only") from e
        except QUOTES_DATA as e:
            raise SelectError(
                f"fails on some value ({type(e).__name__}); where a value may not fit, write "
                "TRY_CAST in place of CAST, and TRY_STRPTIME in place of STRPTIME"
            ) from e
        except duckdb.Error as e:
            raise SelectError(f"cannot run: {_first_line(e)}") from e
        finally:
            watch.cancel()

    def close(self) -> None:
        """Give back memory and temporary files."""
        self._connection.close()
        self._temporary.close()

    def __enter__(self) -> ClosedDatabase:
        """The database itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def _literals(paths: Sequence[Path]) -> str:
    return ", ".join(literal(str(path)) for path in paths)


def _first_line(error: duckdb.Error) -> str:
    """What DuckDB says is wrong, and what it proposes, without the marked statement."""
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line]
    shown = []
    for line in lines:
        if line.startswith("LINE "):
            break
        shown.append(line)
    return cut(" ".join(shown[:2]))
