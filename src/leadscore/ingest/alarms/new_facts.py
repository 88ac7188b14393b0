"""New facts compared with past ones: size of numbers, who acts, how leads end, what is missing.

"New" are facts dated since the export before. They are compared with the year before it; only
missing values, which fill up with time, are compared with as many days, as the delivery before
showed them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.alarms.compared import NUMBERS, number_fields
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.ingest.alarms.periods import (
    Period,
    count_values,
    new_period,
    past_year,
    period_before,
)

LEAST_NEW = 8  # numbers, to compare their size
LEAST_OLD = 30
LARGER = float(np.log(5))  # in size, at the least
SURE = 5.0  # standard errors
LEAST_FACTS = 20  # on both sides, to compare shares
MOVED = 0.4  # of the facts that have another value than they used to
MAY_MISS: dict[str, Sequence[str]] = {
    "activities": ["duration_s", "outcome"],
    "outcomes": ["amount", "reason"],
}


def find_sizes(pair: Deliveries) -> Iterator[str]:
    """Columns of numbers of which the new ones are of another size than those of the past year."""
    for name, table, number, where in _number_columns(pair):
        before = _read_logs(pair, past_year(pair), table, number, where)
        now = _read_logs(pair, new_period(pair), table, number, where)
        if len(now) < LEAST_NEW or len(before) < LEAST_OLD:
            continue
        shift = float(np.median(now) - np.median(before))
        usual = _median_error(before, len(now))
        if abs(shift) > max(LARGER, SURE * usual):
            yield (
                f"the median of {name} in {len(now):,} new rows is {np.exp(shift):.3g} times what "
                "it was"
            )


def _median_error(values: np.ndarray, n: int) -> float:
    """The standard error of the median of n values that spread like these: 1.25 sd / sqrt(n).

    1.25 is sqrt(pi / 2), the factor of a large sample from a normal distribution.
    """
    spread = float(np.std(values))
    error: float = 1.25 * spread / np.sqrt(n)
    return error


def _number_columns(pair: Deliveries) -> Iterator[tuple[str, str, str, str]]:
    """What is measured: name, table, SQL of the number, SQL of which facts have it."""
    mapped = pair.staged.mapped_fields()
    for table in pair.tables:
        for column in NUMBERS.get(table, ()):
            yield f"{table}.{column}", table, identifier(column), "1 = 1"
        for field in number_fields(pair):
            if table == "leads" and field in mapped:
                yield f"leads.{field}", table, identifier(field), "1 = 1"
            if table == "changes":
                where = f"field = {literal(field)}"
                yield f"changes.{field}", table, "CAST(value AS BIGINT)", where


def _read_logs(pair: Deliveries, period: Period, table: str, number: str, where: str) -> np.ndarray:
    """The logarithms of the positive numbers of a period (n,)."""
    rows = pair.engine.query(
        f"""SELECT v FROM (SELECT {number} AS v FROM {period.facts_sql(table, where=where)}) AS n
        WHERE v > 0"""
    )
    values = np.asarray(rows["v"].to_numpy(), dtype=np.float64)
    return np.log(values)


def find_shares(pair: Deliveries) -> Iterator[str]:
    """Actors, outcomes and missing values with another share among new facts than before."""
    if "activities" in pair.tables:
        for row in pair.rows("SELECT DISTINCT kind FROM raw_before_activities ORDER BY kind"):
            name = f"activities.actor of {row['kind']}"
            where = f"kind = {literal(row['kind'])}"
            yield from _find_moved_shares(pair, name, "activities", "actor", where=where)
    if "outcomes" in pair.tables:
        yield from _find_moved_shares(pair, "outcomes.outcome", "outcomes", "outcome")
    yield from _find_missing(pair)


def _find_moved_shares(
    pair: Deliveries,
    name: str,
    table: str,
    column: str,
    *,
    where: str = "1 = 1",
) -> Iterator[str]:
    """A column whose values moved by more than `MOVED` of the facts since the past year."""
    before = count_values(pair, past_year(pair), table, column, where=where)
    now = count_values(pair, new_period(pair), table, column, where=where)
    n_before = sum(before.values())
    n_now = sum(now.values())
    if min(n_before, n_now) < LEAST_FACTS:
        return

    shifts = {}
    for value in before | now:
        share_before = before.get(value, 0) / n_before
        shifts[value] = now.get(value, 0) / n_now - share_before
    moved = sum(max(shift, 0.0) for shift in shifts.values())
    if moved > MOVED:
        most = max(shifts, key=lambda value: shifts[value])
        yield (
            f"{name} is {most!r} in {_percent(now.get(most, 0) / n_now)} of the {n_now:,} new "
            f"rows; in the year before, in {_percent(before.get(most, 0) / n_before)}"
        )


def _find_missing(pair: Deliveries) -> Iterator[str]:
    """Columns that new facts leave empty where facts as new had a value in the delivery before."""
    may_miss: dict[str, Sequence[str]] = {"leads": pair.staged.mapped_fields(), **MAY_MISS}
    for table, columns in may_miss.items():
        if table in pair.tables:
            for column in columns:
                yield from _find_missing_values(pair, table, column)


def _find_missing_values(pair: Deliveries, table: str, column: str) -> Iterator[str]:
    n_before, share_before = _share_missing(pair, period_before(pair), table, column)
    n_now, share_now = _share_missing(pair, new_period(pair), table, column)
    if min(n_before, n_now) >= LEAST_FACTS and share_now - share_before > MOVED:
        yield (
            f"{table}.{column} is missing in {_percent(share_now)} of the {n_now:,} new rows; "
            f"before, in {_percent(share_before)}"
        )


def _share_missing(pair: Deliveries, period: Period, table: str, column: str) -> tuple[int, float]:
    """How many facts a period has, and the share of them without a value."""
    row = pair.row(
        f"""SELECT COUNT(*) AS n, COUNT({identifier(column)}) AS filled
        FROM {period.facts_sql(table)}"""
    )
    if not row["n"]:
        return 0, 0.0
    return row["n"], 1 - row["filled"] / row["n"]


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
