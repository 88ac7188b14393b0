"""Facts that a delivery has too many of: new ones with old dates, or the same ones repeated.

People enter what happened a few days late. A feed that is joined twice, or a filter that was
lifted, adds facts to the whole past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.ingest.alarms.periods import Period, new_period, past_year
from leadscore.ingest.alarms.time_shift import find_shifted_tables
from leadscore.ingest.alarms.vanished import LEAST_FACTS
from leadscore.ingest.sql import columns_sql
from leadscore.times import DAY_US, format_us

LATE_US = 7 * DAY_US  # before the export before: what is entered late
MORE_REPEATED = 0.4  # of the new activities, than of those of the year before
LEAST_NEW = 20
STORED = {"before": "before_activities", "now": "activities_now"}
MAY_DIFFER = {"seq", "available_us"}  # in activities that are equal all the same


def find_added(pair: Deliveries) -> Iterator[str]:
    """Tables whose past grew more than late entries explain, and activities that are repeated."""
    limit = pair.staged.settings.validation.max_added
    moved = find_shifted_tables(pair)
    raised = set()
    for name in pair.events():
        if name in moved:
            continue
        added = _count_added(pair, name)
        if added < LEAST_FACTS:
            continue
        before = _count_before(pair, name)
        if added > limit * before:
            raised.add(name)
            until = format_us(pair.before_us - LATE_US)[:10]
            yield (
                f"{added:,} facts of {name} dated before {until} are new; the export before had "
                f"{before:,}"
            )
    if "activities" in pair.tables and "activities" not in raised:
        yield from _find_more_repeated(pair)


def _count_before(pair: Deliveries, name: str) -> int:
    """How many old facts the delivery before had."""
    if name == "activities":
        until_us = pair.before_us - LATE_US
        return pair.number(f"SELECT COUNT(*) FROM before_activities WHERE event_us < {until_us}")
    facts = [_old_facts_sql(pair, name, "before", part) for part in pair.parts(name).all]
    return sum(pair.number(f"SELECT SUM(n) FROM ({sql}) AS b") for sql in facts)


def _count_added(pair: Deliveries, name: str) -> int:
    """How many more old facts the leads of the delivery before have in this one."""
    added = 0
    for part in pair.parts(name).unequal:
        before = _old_facts_sql(pair, name, "before", part)
        now = _old_facts_sql(pair, name, "now", part)
        added += pair.number(
            f"""SELECT SUM(CASE WHEN b.n IS NULL THEN n.n WHEN n.n > b.n THEN n.n - b.n ELSE 0 END)
            FROM ({now}) AS n
            JOIN (SELECT DISTINCT lead_id FROM raw_before_leads) AS l ON l.lead_id = n.lead_id
            LEFT JOIN ({before}) AS b ON b.lead_id = n.lead_id AND b.event_us = n.event_us"""
        )
    return added


def _old_facts_sql(pair: Deliveries, name: str, side: str, part: str) -> str:
    """SQL of how many facts (n) each lead has at each moment that is too old to be entered late.

    Equal activities count each, as they are stored; other facts of one moment count once.
    """
    view, count = f"raw_{side}_{name}", "1"
    if name == "activities":
        view, count = STORED[side], "COUNT(*)"
    return f"""SELECT lead_id, event_us, {count} AS n FROM {view}
        WHERE event_us < {pair.before_us - LATE_US} AND {part} GROUP BY lead_id, event_us"""


@dataclass(frozen=True)
class Repeated:
    """How many activities there are, and how many of them equal another one before them."""

    facts: int
    repeated: int

    @property
    def share(self) -> float:
        """The share of repeated ones."""
        return self.repeated / self.facts


def _find_more_repeated(pair: Deliveries) -> Iterator[str]:
    now = _count_repeated(pair, STORED["now"], new_period(pair))
    if now.facts < LEAST_NEW or now.share <= MORE_REPEATED:
        return
    before = _count_repeated(pair, STORED["before"], past_year(pair))
    if before.facts >= LEAST_NEW and now.share - before.share > MORE_REPEATED:
        yield (
            f"{100 * now.share:.0f}% of the {now.facts:,} new rows of activities equal an earlier "
            f"one; in the year before, {100 * before.share:.0f}% did"
        )


def _count_repeated(pair: Deliveries, view: str, period: Period) -> Repeated:
    names = pair.staged.table("activities").schema().names
    columns = columns_sql([name for name in names if name not in MAY_DIFFER])
    facts, distinct = 0, 0
    for part in pair.slices("activities", where=period.where):
        row = pair.row(
            f"""SELECT COUNT(*) AS distinct_facts, SUM(n) AS facts
            FROM (SELECT {columns}, COUNT(*) AS n FROM {view}
                WHERE {period.where} AND {part} GROUP BY {columns}) AS d"""
        )
        facts += int(row["facts"] or 0)
        distinct += row["distinct_facts"]
    return Repeated(facts, facts - distinct)
