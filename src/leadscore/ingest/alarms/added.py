"""Facts that a delivery has more than it should: dated in the past and new in it, or exported more than once.

People enter what happened a few days late; a feed that is joined twice, or a filter that was lifted, adds to the whole
past.
"""

from __future__ import annotations

from collections.abc import Iterator

from leadscore.engine.protocol import identifier
from leadscore.ingest.alarms.deliveries import EVENTS, Deliveries
from leadscore.ingest.alarms.vanished import LEAST_FACTS, YEAR_US, find_shifted_tables
from leadscore.times import DAY_US, format_us

LATE_US = 7 * DAY_US  # before the export before: what is entered late
MORE_REPEATED = 0.4  # of the new activities, than of those of the year before
LEAST_NEW = 20
UNTOLD = {"seq", "available_us"}  # where equal activities differ


def find_added(pair: Deliveries) -> Iterator[str]:
    """Tables whose past grew by more than what is entered late, and activities that come more than once."""
    limit = pair.staged.settings.validation.max_added
    moved = set(find_shifted_tables(pair))
    raised = set()
    for name in (table for table in EVENTS if table in pair.tables and table not in moved):
        before, added = _count_added(pair, name)
        if added >= LEAST_FACTS and added > limit * before:
            raised.add(name)
            until = format_us(pair.before_us - LATE_US)[:10]
            yield f"{added:,} facts of {name} dated before {until} are new; the export before had {before:,}"
    if "activities" in pair.tables and "activities" not in raised:
        yield from _find_more_repeated(pair)


def _count_added(pair: Deliveries, name: str) -> tuple[int, int]:
    """How many facts the delivery before had, and how many this one has beside them, of leads that it had.

    Equal activities count each, as they are stored; of other tables, moments at which a lead has facts.
    """
    number = "COUNT(*)" if name == "activities" else "1"
    of_before, of_now = (
        ("before_activities", "activities_now")
        if name == "activities"
        else (f"raw_before_{name}", f"raw_now_{name}")
    )
    facts = f"""SELECT lead_id, event_us, {number} AS n FROM {{}} WHERE event_us < {pair.before_us - LATE_US}
        GROUP BY lead_id, event_us"""
    had = pair.number(f"SELECT SUM(n) FROM ({facts.format(of_before)}) AS b")
    added = pair.number(f"""SELECT SUM(CASE WHEN b.n IS NULL THEN n.n WHEN n.n > b.n THEN n.n - b.n ELSE 0 END)
        FROM ({facts.format(of_now)}) AS n
        JOIN (SELECT DISTINCT lead_id FROM raw_before_leads) AS l ON l.lead_id = n.lead_id
        LEFT JOIN ({facts.format(of_before)}) AS b ON b.lead_id = n.lead_id AND b.event_us = n.event_us""")
    return had, added


def _find_more_repeated(pair: Deliveries) -> Iterator[str]:
    before = _count_repeated(pair, "before_activities", pair.before_us - YEAR_US, pair.before_us)
    now = _count_repeated(pair, "activities_now", pair.before_us, pair.now_us)
    if min(before[0], now[0]) < LEAST_NEW:
        return
    share_before, share_now = (repeated / n for n, repeated in (before, now))
    if share_now - share_before > MORE_REPEATED:
        yield (
            f"{100 * share_now:.0f} % of the {now[0]:,} new rows of activities equal an earlier one; "
            f"in the year before, {100 * share_before:.0f} % did"
        )


def _count_repeated(pair: Deliveries, view: str, since_us: int, until_us: int) -> tuple[int, int]:
    """How many activities there are in a time, and how many of them equal another one before them."""
    names = [name for name in pair.staged.table("activities").schema().names if name not in UNTOLD]
    columns = ", ".join(map(identifier, names))
    row = pair.rows(f"""SELECT COUNT(*) AS facts, SUM(n) AS n FROM (SELECT {columns}, COUNT(*) AS n FROM {view}
        WHERE event_us >= {since_us} AND event_us < {until_us} GROUP BY {columns}) AS d""")[0]
    n = int(row["n"] or 0)
    return n, n - row["facts"]
