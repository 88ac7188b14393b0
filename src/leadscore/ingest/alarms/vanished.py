"""Past facts that a delivery no longer has, tables in which nothing is new, and facts that moved in time.

Facts come whole in every delivery: whatever is dated before the export before must be there again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadscore.ingest.alarms.deliveries import EVENTS, Deliveries
from leadscore.times import DAY_US, SECOND_US, format_us

LEAST_FACTS = 20  # that must vanish from a table of which many facts may
LEAST_CLOSES = 5  # that must vanish; a lead or two is re-opened in any week, however few are closed
LEAST_GAPS = 30  # between days with facts, for their longest to say what is usual
SILENCE_US = 10 * DAY_US  # of all tables; offices close between the years
CENTURY_US = (
    36_525 * DAY_US
)  # engines differ in the remainder of negative numbers: moments before 1970
YEAR_US = 365 * DAY_US
HALF_HOUR_US = 1800 * SECOND_US
LEAST_LEADS = 20
MANY = 0.2  # of the leads that both deliveries have
MONTH_US = 30 * DAY_US
MOST = 0.5  # of the open, or closed, leads that were created since a month of the last year


def find_vanished(pair: Deliveries) -> Iterator[str]:
    """Closes, and facts of other tables, that are gone although their leads are there; leads that are gone."""
    limits = pair.staged.settings.validation
    moved = set(find_shifted_tables(pair))
    yield from _reopened(pair, limits.max_closes_vanished)
    for name in pair.tables:
        if name == "leads":
            before, gone = _count_gone_leads(pair)
            is_told = gone > limits.max_shrink * before  # half_delivered says so
            if gone <= limits.max_vanished * before:
                yield from _find_filtered(pair, limits.max_shrink)
        elif name == "outcomes" or name in moved:
            continue
        else:
            before, gone = _count_gone(pair, name)
            is_told = False
        if not is_told and gone >= LEAST_FACTS and gone > limits.max_vanished * before:
            yield f"{gone:,} of {before:,} {_facts_of(name)} dated before {format_us(pair.before_us)} are gone"


def _facts_of(table: str) -> str:
    return "leads" if table == "leads" else f"facts of {table}"


def _count_gone_leads(pair: Deliveries) -> tuple[int, int]:
    sql = f"""SELECT COUNT(*) AS n, COUNT(CASE WHEN n.lead_id IS NULL THEN 1 END) AS gone
        FROM (SELECT DISTINCT lead_id FROM raw_before_leads WHERE event_us < {pair.before_us}) AS b
        LEFT JOIN (SELECT DISTINCT lead_id FROM raw_now_leads) AS n ON n.lead_id = b.lead_id"""
    row = pair.rows(sql)[0]
    return row["n"], row["gone"]


def _count_gone(pair: Deliveries, name: str) -> tuple[int, int]:
    """How many moments at which a lead had facts the delivery before had, and how many of them are gone."""
    sql = f"""SELECT COUNT(*) AS n, COUNT(CASE WHEN n.lead_id IS NULL THEN 1 END) AS gone
        FROM (SELECT DISTINCT r.lead_id, r.event_us FROM raw_before_{name} AS r {_IN_BOTH}
            WHERE r.event_us < {pair.before_us}) AS b
        LEFT JOIN (SELECT DISTINCT lead_id, event_us FROM raw_now_{name}) AS n
            ON n.lead_id = b.lead_id AND n.event_us = b.event_us"""
    row = pair.rows(sql)[0]
    return row["n"], row["gone"]


_IN_BOTH = """JOIN (SELECT DISTINCT lead_id FROM raw_before_leads) AS lb ON lb.lead_id = r.lead_id
    JOIN (SELECT DISTINCT lead_id FROM raw_now_leads) AS ln ON ln.lead_id = r.lead_id"""


def _find_filtered(pair: Deliveries, limit: float) -> Iterator[str]:
    """Open leads, or closed ones, that are gone as if the export left them out, though few of all leads are gone."""
    rows = pair.engine.query(f"""SELECT b.us, CASE WHEN c.lead_id IS NULL THEN 0 ELSE 1 END AS closed,
        CASE WHEN n.lead_id IS NULL THEN 1 ELSE 0 END AS gone
        FROM (SELECT lead_id, MIN(event_us) AS us FROM raw_before_leads WHERE event_us < {pair.before_us}
            GROUP BY lead_id) AS b
        LEFT JOIN ({pair.closed_before()}) AS c ON c.lead_id = b.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM raw_now_leads) AS n ON n.lead_id = b.lead_id""")
    created_us, closed, gone = (rows[name].to_numpy() for name in ("us", "closed", "gone"))
    for words, is_closed in {"open": 0, "closed": 1}.items():
        of_group = closed == is_closed
        yield from _find_filtered_group(
            pair, created_us[of_group], gone[of_group], limit=limit, words=words
        )


def _find_filtered_group(
    pair: Deliveries, created_us: np.ndarray, gone: np.ndarray, *, limit: float, words: str
) -> Iterator[str]:
    n_gone = int(gone.sum())
    if n_gone >= LEAST_FACTS and n_gone > limit * len(gone):
        yield f"{n_gone:,} of {len(gone):,} {words} leads are gone"
        return
    for months in range(12, 0, -1):
        since_us = pair.before_us - months * MONTH_US
        is_recent = created_us >= since_us
        n_gone = int(gone[is_recent].sum())
        if n_gone >= LEAST_FACTS and n_gone > MOST * is_recent.sum():
            day = format_us(since_us)[:10]
            yield f"{n_gone:,} of {is_recent.sum():,} {words} leads that were created since {day} are gone"
            return


def _reopened(pair: Deliveries, limit: float) -> Iterator[str]:
    """Leads without the outcome, or the closing stage, that they had; of the same leads it is said once."""
    closing = pair.closing_stages()
    feeds = {
        "outcomes": ("outcomes", "1 = 1"),
        "closing stages": ("stages", f"r.stage IN ({closing})"),
    }
    closed: dict[str, list[str]] = {"before": [], "now": []}
    ended = {}
    for words, (table, where) in feeds.items():
        if table not in pair.tables:
            continue
        for side, parts in closed.items():
            parts.append(f"SELECT r.lead_id FROM raw_{side}_{table} AS r WHERE {where}")
        ended[words] = _count_open_again(pair, closed["before"][-1], closed["now"][-1])
    if not ended:
        return
    had, gone = _count_open_again(pair, *(" UNION ".join(parts) for parts in closed.values()))
    is_reopened = gone >= LEAST_CLOSES and gone > limit * had
    if is_reopened:
        yield f"{gone:,} of {had:,} closed leads are open again"
    for words, (had_it, lost_it) in ended.items():
        is_new = lost_it > gone or not is_reopened
        if is_new and lost_it >= LEAST_CLOSES and lost_it > limit * had_it:
            yield f"{lost_it:,} of {had_it:,} leads with {words} have none now"


def _count_open_again(pair: Deliveries, before: str, now: str) -> tuple[int, int]:
    sql = f"""SELECT COUNT(*) AS n, COUNT(CASE WHEN n.lead_id IS NULL THEN 1 END) AS gone
        FROM (SELECT DISTINCT r.lead_id FROM ({before}) AS r {_IN_BOTH}) AS b
        LEFT JOIN (SELECT DISTINCT lead_id FROM ({now}) AS s) AS n ON n.lead_id = b.lead_id"""
    row = pair.rows(sql)[0]
    return row["n"], row["gone"]


def find_ended(pair: Deliveries) -> Iterator[str]:
    """Tables whose newest fact is older than the usual gap between days with facts allows, while others go on."""
    newest_us = max((days[-1] for days in _feeds(pair, "now").values() if len(days)), default=None)
    if newest_us is None:
        return
    end_us = min(int(newest_us) + DAY_US, pair.now_us)
    before = _feeds(pair, "before")
    for words, days in _feeds(pair, "now").items():
        allowed_us = _allowed_gap_us(days)
        if allowed_us is None or not len(before[words]):
            continue
        is_over = end_us - (int(days[-1]) + DAY_US) > allowed_us
        was_over = pair.before_us - (int(before[words][-1]) + DAY_US) > allowed_us
        if is_over and not was_over:
            last = format_us(int(days[-1]))[:10]
            silent = (end_us - int(days[-1]) - DAY_US) // DAY_US
            yield (
                f"the newest row of {words} is dated {last}, {silent} days before the newest fact of any table; "
                f"usually at most {allowed_us // DAY_US}"
            )


def find_ahead(pair: Deliveries) -> Iterator[str]:
    """A moment of the export that lies far past every fact."""
    parts = [
        f"SELECT {_DAY} AS us FROM raw_now_{name} WHERE event_us < {pair.now_us}"
        for name in pair.tables
    ]
    if not parts:
        return
    days = _days(pair, " UNION ALL ".join(parts))
    allowed_us = _allowed_gap_us(days)
    if allowed_us is None:
        return
    gap_us = pair.now_us - (int(days[-1]) + DAY_US)
    if gap_us > max(allowed_us, SILENCE_US):
        yield (
            f"known_until is {format_us(pair.now_us)}, {gap_us // DAY_US} days after the newest fact of any table: "
            "the days between would look as if nobody had done anything"
        )


_DAY = f"event_us - (event_us + {CENTURY_US}) % {DAY_US}"


def _feeds(pair: Deliveries, side: str) -> dict[str, np.ndarray]:
    """The days with facts of every table, and of the stages that close."""
    until = pair.now_us if side == "now" else pair.before_us
    sources = {name: f"raw_{side}_{name} WHERE event_us < {until}" for name in pair.tables}
    if "stages" in sources:
        sources["closing stages"] = f"{sources['stages']} AND stage IN ({pair.closing_stages()})"
    return {
        words: _days(pair, f"SELECT {_DAY} AS us FROM {source}")
        for words, source in sources.items()
    }


def _days(pair: Deliveries, sql: str) -> np.ndarray:
    rows = pair.engine.query(
        f"SELECT DISTINCT us FROM ({sql}) AS d WHERE us IS NOT NULL ORDER BY us"
    )
    return np.asarray(rows["us"].to_numpy(), dtype=np.int64)


def _allowed_gap_us(days: np.ndarray) -> int | None:
    """Half as much again as the longest gap of the last year, and a day; None with too few to say."""
    recent = days[days > days[-1] - YEAR_US] if len(days) else days
    gaps = np.diff(recent)
    if len(gaps) < LEAST_GAPS:
        return None
    return int(1.5 * (gaps.max() - DAY_US)) + DAY_US


def find_shifted_tables(pair: Deliveries) -> dict[str, str]:
    """Tables of events whose facts moved by one and the same number of half hours, with what was seen."""
    shifted = {}
    for name in (each for each in EVENTS if each in pair.tables):
        first = "SELECT lead_id, MIN(event_us) AS us FROM raw_{}_{} WHERE event_us < {} GROUP BY lead_id"
        before, now = (first.format(side, name, pair.now_us) for side in ("before", "now"))
        moves = pair.rows(f"""SELECT n.us - b.us AS us, COUNT(*) AS n
            FROM ({before}) AS b JOIN ({now}) AS n ON n.lead_id = b.lead_id
            GROUP BY n.us - b.us ORDER BY n DESC, us""")
        both = sum(row["n"] for row in moves)
        most = next((row for row in moves if row["us"] and row["us"] % HALF_HOUR_US == 0), None)
        if most is not None and both >= LEAST_LEADS and most["n"] > MANY * both:
            hours = most["us"] / (2 * HALF_HOUR_US)
            shifted[name] = (
                f"the first facts of {name} moved by {hours:+g} hours for {most['n']:,} of {both:,} leads: "
                "is the time zone the right one?"
            )
    return shifted


def find_shifted(pair: Deliveries) -> Iterator[str]:
    """What `find_shifted_tables` saw."""
    yield from find_shifted_tables(pair).values()
