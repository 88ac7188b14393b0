"""Values with another name: gone and new ones that are about as common, and unknown ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leadscore.engine.protocol import identifier
from leadscore.ingest.alarms.compared import Compared
from leadscore.ingest.alarms.exports import Exports
from leadscore.ingest.checks.leads import ACCEPTED_LEADS

COMMON = 20  # rows of a value below which its coming and going says nothing
FEW = 5  # rows of a value that is gone, if an unknown one is there instead
MOST_VALUES = 200  # of a column; more are free text or names, which come and go
UNKNOWN_SQL = """SELECT "table", "column", value, COUNT(*) AS n FROM row_rejects
    WHERE rule IN ('allowed', 'unmapped', 'unselected') AND value IS NOT NULL
    GROUP BY "table", "column", value ORDER BY n DESC, value"""


def find_renamed(exports: Exports) -> Iterator[str]:
    """Values of past facts with a new name, and values replaced by a new one that is as common."""
    yield from _find_renamed_facts(exports.compared)
    known = {column.name for column in exports.compared if column.renamed}
    for table, column in _compared_columns(exports):
        if not exports.is_reread(table):
            is_known = f"{table}.{column}" in known
            yield from _find_renamed_values(exports, table, column, is_known=is_known)


def _find_renamed_facts(compared: list[Compared]) -> Iterator[str]:
    """Values that have another name in facts that both deliveries have."""
    for column in compared:
        for old, (new, n) in column.renamed.items():
            yield f"{column.name}: {old!r} is now {new!r} in {n:,} rows exported before"


def _compared_columns(exports: Exports) -> Iterator[tuple[str, str]]:
    """The columns (table, column) whose values have names."""
    for name in exports.shared_fields("text"):
        if name != "owner_id":  # leads go to other reps
            yield "leads", name
    yield "stages", "stage"
    yield "activities", "kind"
    yield "outcomes", "reason"


def _find_renamed_values(
    exports: Exports,
    table: str,
    column: str,
    *,
    is_known: bool,
) -> Iterator[str]:
    """Values that are gone, beside new or unknown ones with half to twice as many rows.

    New ones are left out where it `is_known` from past facts what was renamed.
    """
    counts = exports.rows(_counts_sql(exports, table, column))
    if len(counts) > MOST_VALUES:
        return
    gone = {}
    new = {}
    for row in counts:
        if row["before"] >= FEW and not row["now"]:
            gone[row["value"]] = row["before"]
        elif row["now"] >= COMMON and not row["before"]:
            new[row["value"]] = row["now"]

    for old, n in gone.items():
        alike = [value for value, m in new.items() if _is_as_common(m, n)]
        if alike and n >= COMMON and not is_known:
            yield (
                f"{table}.{column}: {old!r} had {n:,} rows and has none, {alike[0]!r} is new with "
                f"{new[alike[0]]:,}"
            )
    yield from _find_unknown_instead(exports, table, column, gone)


def _find_unknown_instead(
    exports: Exports,
    table: str,
    column: str,
    gone: dict[str, int],
) -> Iterator[str]:
    """Values that the settings do not know and that are as common as one that is gone."""
    for row in _unknown_values(exports):
        if (row["table"], row["column"]) != (table, column):
            continue
        alike = [old for old, n in gone.items() if _is_as_common(row["n"], n)]
        if alike:
            yield (
                f"{table}.{column}: {alike[0]!r} had {gone[alike[0]]:,} rows and has none, "
                f"{row['value']!r} has {row['n']:,} and is not in the settings"
            )


def _is_as_common(rows: int, n: int) -> bool:
    return n / 2 <= rows <= 2 * n


def find_unknown(exports: Exports) -> Iterator[str]:
    """Stages, kinds or statuses that the settings do not know: their rows were refused."""
    for row in _unknown_values(exports):
        if row["n"] >= COMMON:
            yield (
                f"{row['table']}.{row['column']}: {row['value']!r} is not in the settings and has "
                f"{row['n']:,} rows"
            )


def _unknown_values(exports: Exports) -> list[dict[str, Any]]:
    return exports.rows(UNKNOWN_SQL)


def _counts_sql(exports: Exports, table: str, column: str) -> str:
    """SQL of how many rows each value of a column had before and has now."""
    name = identifier(column)
    # Not leads_now: it has the values that were seen first.
    now = ACCEPTED_LEADS if table == "leads" else f"{table}_now"
    before = exports.leads_before if table == "leads" else f"before_{table}"
    return f"""SELECT value, COUNT(CASE WHEN before = 1 THEN 1 END) AS before,
        COUNT(CASE WHEN before = 0 THEN 1 END) AS now
        FROM (SELECT {name} AS value, 1 AS before FROM {before} AS b
                WHERE {name} IS NOT NULL
            UNION ALL
            SELECT {name} AS value, 0 AS before FROM {now} AS n
                WHERE {name} IS NOT NULL) AS v
        GROUP BY value ORDER BY value"""
