"""New facts beside those that were as new in the delivery before: size, who acts, how leads end, what is missing.

"New" are facts dated since the export before. What they are compared with is dated up to a year before it, but for
missing values, which fill with time: there it is as many days before, as the delivery before showed them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.times import DAY_US

LEAST_NEW, LEAST_OLD = 8, 30  # numbers, to compare their size
LARGER = float(np.log(5))  # in size, at the least
SURE = 5.0  # standard errors
LEAST_SHARES = 20  # facts on both sides, to compare shares
MOVED = 0.4  # of the facts that say something else than they used to
YEAR_US = 365 * DAY_US
PERIODS = 8  # in each of which a value must have come, for its silence to say something
LEAST_EXPECTED = 15  # facts; hardly ever none comes of so many
SILENT = 0.1  # of what is expected, at the most
NUMBERS = {"activities": ["duration_s"], "outcomes": ["amount"]}


def find_sizes(pair: Deliveries) -> Iterator[str]:
    """Numbers of new facts that are of another size than those of the past."""
    for name, table, column, where in _numbers(pair):
        before, now = (
            _positive(pair, table, column, where, side=side) for side in ("before", "now")
        )
        if len(now) < LEAST_NEW or len(before) < LEAST_OLD:
            continue
        shift = float(np.median(np.log(now)) - np.median(np.log(before)))
        error = 1.25 * float(np.std(np.log(before))) / np.sqrt(len(now))  # of the median
        if abs(shift) > max(LARGER, SURE * error):
            yield f"the median of {name} in {len(now):,} new rows is {np.exp(shift):.3g} times what it was"


def _numbers(pair: Deliveries) -> Iterator[tuple[str, str, str, str]]:
    """(name, table, SQL of the number, SQL of which facts) of all that is measured."""
    fields = pair.staged.settings.lead_fields()
    numbers = [name for name, field in fields.items() if field.type == "number"]
    for table in pair.tables:
        for column in NUMBERS.get(table, ()):
            yield f"{table}.{column}", table, identifier(column), "1 = 1"
        for field in numbers:
            if table == "leads" and field in pair.staged.mapped_fields():
                yield f"leads.{field}", table, identifier(field), "1 = 1"
            if table == "changes":
                yield (
                    f"changes.{field}",
                    table,
                    "CAST(value AS BIGINT)",
                    f"field = {literal(field)}",
                )


def _period(pair: Deliveries, side: str, *, days_us: int = YEAR_US) -> str:
    if side == "now":
        return f"event_us >= {pair.before_us} AND event_us < {pair.now_us}"
    return f"event_us >= {pair.before_us - days_us} AND event_us < {pair.before_us}"


def _positive(pair: Deliveries, table: str, column: str, where: str, *, side: str) -> np.ndarray:
    rows = pair.engine.query(f"""SELECT v FROM (SELECT {column} AS v FROM raw_{side}_{table}
        WHERE {where} AND {_period(pair, side)}) AS n WHERE v > 0""")
    return np.asarray(rows["v"].to_numpy(), dtype=np.float64)


def find_shares(pair: Deliveries) -> Iterator[str]:
    """Who does what, and how leads end, among new facts and among those of the past year."""
    if "activities" in pair.tables:
        for row in pair.rows("SELECT DISTINCT kind FROM raw_before_activities ORDER BY kind"):
            where = f"kind = {literal(row['kind'])}"
            yield from _moved(
                pair, f"activities.actor of {row['kind']}", "activities", "actor", where
            )
    if "outcomes" in pair.tables:
        yield from _moved(pair, "outcomes.outcome", "outcomes", "outcome", "1 = 1")
    yield from _missing_more(pair)


def _moved(pair: Deliveries, name: str, table: str, column: str, where: str) -> Iterator[str]:
    before, now = (_counts(pair, table, column, where, side=side) for side in ("before", "now"))
    n_before, n_now = sum(before.values()), sum(now.values())
    if min(n_before, n_now) < LEAST_SHARES:
        return
    shifts = {
        value: now.get(value, 0) / n_now - before.get(value, 0) / n_before for value in before | now
    }
    most = max(shifts, key=lambda value: shifts[value])
    if sum(max(shift, 0.0) for shift in shifts.values()) > MOVED:
        share_now, share_before = now.get(most, 0) / n_now, before.get(most, 0) / n_before
        yield (
            f"{name} is {most!r} in {_percent(share_now)} of the {n_now:,} new rows; "
            f"in the year before, in {_percent(share_before)}"
        )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _counts(pair: Deliveries, table: str, column: str, where: str, *, side: str) -> dict[Any, int]:
    rows = pair.rows(f"""SELECT {identifier(column)} AS value, COUNT(*) AS n FROM raw_{side}_{table}
        WHERE {where} AND {_period(pair, side)} GROUP BY 1 ORDER BY 1""")
    return {row["value"]: row["n"] for row in rows}


def _missing_more(pair: Deliveries) -> Iterator[str]:
    """Columns that new facts leave empty where facts as new had a value in the delivery before."""
    columns: dict[str, Sequence[str]] = {
        "activities": ["duration_s"],
        "outcomes": ["amount", "reason"],
    }
    columns = {"leads": pair.staged.mapped_fields()} | columns
    for table, names in columns.items():
        for column in names if table in pair.tables else ():
            shares = [_share_missing(pair, table, column, side=side) for side in ("before", "now")]
            (n_before, missing_before), (n_now, missing_now) = shares
            if min(n_before, n_now) >= LEAST_SHARES and missing_now - missing_before > MOVED:
                yield (
                    f"{table}.{column} is missing in {_percent(missing_now)} of the {n_now:,} new rows; "
                    f"before, in {_percent(missing_before)}"
                )


def _share_missing(pair: Deliveries, table: str, column: str, *, side: str) -> tuple[int, float]:
    period = _period(pair, side, days_us=max(pair.now_us - pair.before_us, DAY_US))
    row = pair.rows(f"""SELECT COUNT(*) AS n, COUNT({identifier(column)}) AS filled FROM raw_{side}_{table}
        WHERE {period}""")[0]
    return row["n"], 1 - row["filled"] / row["n"] if row["n"] else 0.0


def find_silent(pair: Deliveries) -> Iterator[str]:
    """Kinds, actors, stages and answered fields that came in each period before and do not come any more.

    A period is as long as the time since the export before. What is expected is the smaller of what was usual in the
    periods before and of what the share of the past year gives of today's facts: neither a quiet week nor a campaign
    that swells the rest raises an alarm.
    """
    is_open = f"stage NOT IN ({pair.closing_stages()})"
    for table, column, where in (
        ("activities", "kind", "1 = 1"),
        ("activities", "actor", "1 = 1"),
        ("changes", "field", "1 = 1"),
        ("stages", "stage", is_open),
    ):
        if table in pair.tables:
            yield from _find_silent_values(pair, table, column, where)


def _find_silent_values(pair: Deliveries, table: str, column: str, where: str) -> Iterator[str]:
    usual = _usual_counts(pair, table, column, where)
    before, now = (_counts(pair, table, column, where, side=side) for side in ("before", "now"))
    n_before, n_now = sum(before.values()), sum(now.values())
    for value, n_usual in usual.items():
        of_share = n_now * before.get(value, 0) / n_before if n_before else 0.0
        expected = min(n_usual, of_share)
        n = now.get(value, 0)
        if expected >= LEAST_EXPECTED and n <= SILENT * expected:
            yield f"{table}.{column} is {value!r} in {n:,} of the {n_now:,} new rows; about {expected:,.0f} are usual"


def _usual_counts(pair: Deliveries, table: str, column: str, where: str) -> dict[str, float]:
    """The median number of facts of every value that came in each of the periods before."""
    length_us = max(pair.now_us - pair.before_us, DAY_US)
    periods = []
    for i in range(PERIODS):
        until_us = pair.before_us - i * length_us
        is_in = f"event_us >= {until_us - length_us} AND event_us < {until_us}"
        periods.append(f"COUNT(CASE WHEN {is_in} THEN 1 END) AS period_{i}")
    rows = pair.rows(f"""SELECT {identifier(column)} AS value, {", ".join(periods)} FROM raw_before_{table}
        WHERE {where} AND {identifier(column)} IS NOT NULL GROUP BY 1 ORDER BY 1""")
    counts = {row["value"]: [row[f"period_{i}"] for i in range(PERIODS)] for row in rows}
    return {
        value: float(np.median(of_value)) for value, of_value in counts.items() if min(of_value) > 0
    }
