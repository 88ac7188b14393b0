"""The one text of our SQL, as other engines spell it: Spark and warehouses.

The text itself is that of DuckDB and SQLite. What differs elsewhere is how names are quoted, how a
text is escaped, what a type is called, and where null comes in an order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from leadscore.errors import UserError
from leadscore.wording import listed

DIALECTS = ("bigquery", "databricks", "postgres", "snowflake", "spark")


@lru_cache(maxsize=256)
def translate(sql: str, dialect: str) -> str:
    """A SELECT of ours in another dialect; values and their order stay the same.

    Args:
        sql: plain SQL over integers and text, as DuckDB reads it.
        dialect: one of `DIALECTS`.

    Raises:
        UserError: there is no such dialect, or SQLGlot is not installed.
    """
    if dialect not in DIALECTS:
        raise UserError(f"there is no SQL dialect {dialect!r}; there are {listed(DIALECTS)}")
    try:
        import sqlglot
        from sqlglot import expressions
    except ImportError as e:
        raise UserError(
            f"SQL for {dialect} is written by SQLGlot: run `pip install 'leadscore[warehouse]'`"
        ) from e
    tree = sqlglot.parse_one(sql, read="duckdb")
    if dialect == "snowflake":
        for name in tree.find_all(expressions.Identifier):
            _raise_to_upper_case(name)
    return tree.sql(dialect=dialect)


def _raise_to_upper_case(name: Any) -> None:
    """Write a quoted name as Snowflake stores one that was not quoted when it was made."""
    if name.quoted:
        name.set("this", name.this.upper())
