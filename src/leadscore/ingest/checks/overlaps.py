"""Rows of events that come more than once: in two files that overlap, or within one."""

from __future__ import annotations

import pyarrow as pa

from leadscore.ingest.sql import columns_sql, read_number, union_sql
from leadscore.ingest.staged import Staged

NO_ROWS = pa.schema([("part", pa.int64()), ("row", pa.int64())])


def find_overlaps(staged: Staged, name: str) -> None:
    """Make the table `overlapping`: the rows (part, row) of a table that an earlier part has, too.

    Of a row that one part has k times and another m times, max(k, m) stay: files may overlap.
    """
    places = [place for place, _ in staged.parts_of(name)]
    if len(places) < 2:
        staged.engine.add_rows("overlapping", NO_ROWS.empty_table())
        return
    overlaps = staged.engine.query(_overlaps_sql(staged, name, places))
    staged.engine.add_rows("overlapping", overlaps)


def _overlaps_sql(staged: Staged, name: str, places: list[int]) -> str:
    names = staged.table(name).schema().names
    rows = union_sql(
        f"""SELECT {place} AS part, r.row, s.extra, {columns_sql(names, of="r")}
        FROM {name}_{place} AS r JOIN {name}_side_{place} AS s ON s.row = r.row"""
        for place in places
    )
    # Only leads with two facts at one moment can have equal rows: few have to be compared in full.
    likely = f"""SELECT lead_id, event_us FROM ({rows}) AS a
        GROUP BY lead_id, event_us HAVING COUNT(*) > 1"""
    equal_in_part = columns_sql(["part", *names, "extra"], of="a")
    numbered = f"""SELECT a.*,
        ROW_NUMBER() OVER (PARTITION BY {equal_in_part} ORDER BY a.row) AS nth
        FROM ({rows}) AS a
        JOIN ({likely}) AS b ON b.lead_id = a.lead_id AND b.event_us = a.event_us"""
    equal = columns_sql([*names, "extra"])
    copies = f"""SELECT part, row,
        ROW_NUMBER() OVER (PARTITION BY {equal}, nth ORDER BY part) AS copy
        FROM ({numbered}) AS c"""
    return f"SELECT part, row FROM ({copies}) AS d WHERE copy > 1"


def count_repeated_among(staged: Staged, name: str, place: int, rows: pa.Table) -> int:
    """How many of these rows of a part equal an earlier row of it and have no id of their own.

    Args:
        staged: The ingest.
        name: The table: `activities`, the only one whose repeated rows are kept.
        place: The part's place.
        rows: row and lead_id.
    """
    staged.engine.add_rows("chosen_rows", rows.select(["row", "lead_id"]))
    names = staged.table(name).schema().names
    columns = columns_sql(names, of="r")
    numbered = f"""SELECT r.row,
        ROW_NUMBER() OVER (PARTITION BY {columns}, s.extra ORDER BY r.row) AS nth
        FROM {name}_{place} AS r JOIN {name}_side_{place} AS s ON s.row = r.row
        WHERE r.activity_id IS NULL AND r.lead_id IN (SELECT lead_id FROM chosen_rows)"""
    return read_number(
        staged.engine,
        f"""SELECT COUNT(*) AS n FROM ({numbered}) AS o
        JOIN chosen_rows AS c ON c.row = o.row WHERE o.nth > 1""",
    )
