"""Kinds, actors, stages and answered fields that always came and do not come any more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadscore.engine.protocol import identifier
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.ingest.alarms.periods import (
    count_values,
    new_period,
    past_year,
    period_length_us,
)

PERIODS = 8  # in each of which a value must have come, for its silence to say something
LEAST_EXPECTED = 15  # facts; hardly ever none comes of so many
SILENT = 0.1  # of what is expected, at the most


def find_silent(pair: Deliveries) -> Iterator[str]:
    """Values that came in each of the periods before and hardly come any more.

    A period is as long as the time since the export before. The number of facts expected is the
    smaller of two: what was usual in the periods before, and what the value's share of the past
    year gives of today's facts. So neither a quiet week nor a campaign that swells the rest raises
    an alarm.
    """
    is_open = f"stage NOT IN ({pair.staged.closing_stages_sql()})"
    columns = (
        ("activities", "kind", "1 = 1"),
        ("activities", "actor", "1 = 1"),
        ("changes", "field", "1 = 1"),
        ("stages", "stage", is_open),
    )
    for table, column, where in columns:
        if table in pair.tables:
            yield from _find_silent_values(pair, table, column, where)


def _find_silent_values(pair: Deliveries, table: str, column: str, where: str) -> Iterator[str]:
    usual = _usual_counts(pair, table, column, where)
    before = count_values(pair, past_year(pair), table, column, where=where)
    now = count_values(pair, new_period(pair), table, column, where=where)
    n_before = sum(before.values())
    n_now = sum(now.values())
    for value, n_usual in usual.items():
        n_of_share = n_now * before.get(value, 0) / n_before if n_before else 0.0
        expected = min(n_usual, n_of_share)
        n = now.get(value, 0)
        if expected >= LEAST_EXPECTED and n <= SILENT * expected:
            yield (
                f"{table}.{column} is {value!r} in {n:,} of the {n_now:,} new rows; about "
                f"{expected:,.0f} are usual"
            )


def _usual_counts(pair: Deliveries, table: str, column: str, where: str) -> dict[str, float]:
    """The median number of facts per period, of every value that came in each of them."""
    length_us = period_length_us(pair)
    counts = []
    for i in range(PERIODS):
        until_us = pair.before_us - i * length_us
        is_in = f"event_us >= {until_us - length_us} AND event_us < {until_us}"
        counts.append(f"COUNT(CASE WHEN {is_in} THEN 1 END) AS period_{i}")
    rows = pair.rows(
        f"""SELECT {identifier(column)} AS value, {", ".join(counts)} FROM raw_before_{table}
        WHERE {where} AND {identifier(column)} IS NOT NULL GROUP BY 1 ORDER BY 1"""
    )

    usual = {}
    for row in rows:
        by_period = [row[f"period_{i}"] for i in range(PERIODS)]
        if min(by_period) > 0:
            usual[row["value"]] = float(np.median(by_period))
    return usual
