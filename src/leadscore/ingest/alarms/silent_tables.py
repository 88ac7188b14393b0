"""Tables in which nothing is new while others go on, and a known_until long after every fact."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadscore.engine.protocol import day_sql
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.ingest.alarms.periods import YEAR_US
from leadscore.ingest.sql import read_days, union_sql
from leadscore.times import DAY_US, format_us

LEAST_GAPS = 30  # between days with facts, for their longest to say what is usual
SILENCE_US = 10 * DAY_US  # of all tables; offices close between the years


def find_ended(pair: Deliveries) -> Iterator[str]:
    """Tables whose newest fact is older than their usual gap allows, while others go on."""
    feeds = _read_feeds(pair, "now")
    feeds_before = _read_feeds(pair, "before")
    latest = [int(days[-1]) for days in feeds.values() if len(days)]
    newest_us = max(latest, default=None)
    if newest_us is None:
        return
    end_us = min(newest_us + DAY_US, pair.now_us)
    for name, days in feeds.items():
        allowed_us = _allowed_gap_us(days)
        days_before = feeds_before[name]
        if allowed_us is None or not len(days_before):
            continue
        is_over = end_us - _end_us(days) > allowed_us
        was_over = pair.before_us - _end_us(days_before) > allowed_us
        if is_over and not was_over:
            last = format_us(int(days[-1]))[:10]
            yield (
                f"the newest row of {name} is dated {last}, {(end_us - _end_us(days)) // DAY_US} "
                "days before the newest fact of any table; usually at most "
                f"{allowed_us // DAY_US}"
            )


def find_ahead(pair: Deliveries) -> Iterator[str]:
    """A known_until that lies far past every fact, unless it is that of the delivery before."""
    is_accepted = pair.now_us == pair.before_us
    if is_accepted or not pair.tables:
        return
    days = read_days(
        pair.engine,
        union_sql(
            f"SELECT {day_sql()} AS us FROM raw_now_{name} WHERE event_us < {pair.now_us}"
            for name in pair.tables
        ),
    )
    allowed_us = _allowed_gap_us(days)
    if allowed_us is None:
        return
    gap_us = pair.now_us - _end_us(days)
    if gap_us > max(allowed_us, SILENCE_US):
        yield (
            f"known_until is {format_us(pair.now_us)}, {gap_us // DAY_US} days after the newest "
            "fact of any table: it would look as if nothing had happened in between"
        )


def _read_feeds(pair: Deliveries, side: str) -> dict[str, np.ndarray]:
    """The days with facts of every table, and of the stages that close."""
    until_us = pair.now_us if side == "now" else pair.before_us
    facts = {name: f"raw_{side}_{name} WHERE event_us < {until_us}" for name in pair.tables}
    if "stages" in facts:
        closing = pair.staged.closing_stages_sql()
        facts["closing stages"] = f"{facts['stages']} AND stage IN ({closing})"
    return {
        name: read_days(pair.engine, f"SELECT {day_sql()} AS us FROM {of_feed}")
        for name, of_feed in facts.items()
    }


def _end_us(days: np.ndarray) -> int:
    """The end of the last day."""
    return int(days[-1]) + DAY_US


def _allowed_gap_us(days: np.ndarray) -> int | None:
    """Half as much again as the longest gap of the last year, and a day; None with too few days."""
    recent = days[days > days[-1] - YEAR_US] if len(days) else days
    gaps = np.diff(recent)
    if len(gaps) < LEAST_GAPS:
        return None
    return int(1.5 * (gaps.max() - DAY_US)) + DAY_US
