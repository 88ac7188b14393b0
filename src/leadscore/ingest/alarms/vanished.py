"""Leads and past facts that a delivery no longer has.

Facts come whole in every delivery: whatever is dated before the export before must come again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadscore.ingest.alarms.deliveries import LEADS_IN_BOTH, Deliveries
from leadscore.ingest.alarms.reopened import find_reopened
from leadscore.ingest.alarms.time_shift import find_shifted_tables
from leadscore.times import DAY_US, format_us

LEAST_FACTS = 20  # that must vanish from a table of which many facts may
MONTH_US = 30 * DAY_US
MONTHS = 12
MOST = 0.5  # of the open, or closed, leads that were created since a month of the last year


def find_vanished(pair: Deliveries) -> Iterator[str]:
    """Leads that are gone, and closes and other facts of leads that are not gone."""
    yield from find_reopened(pair)
    moved = find_shifted_tables(pair)
    for name in pair.tables:
        if name == "leads":
            yield from _find_gone_leads(pair)
        elif name != "outcomes" and name not in moved:
            yield from _find_gone_facts(pair, name)


def _find_gone_leads(pair: Deliveries) -> Iterator[str]:
    limits = pair.staged.settings.validation
    row = pair.row(
        f"""SELECT COUNT(*) AS n, COUNT(CASE WHEN n.lead_id IS NULL THEN 1 END) AS gone
        FROM (SELECT DISTINCT lead_id FROM raw_before_leads
            WHERE event_us < {pair.before_us}) AS b
        LEFT JOIN (SELECT DISTINCT lead_id FROM raw_now_leads) AS n ON n.lead_id = b.lead_id"""
    )
    n, gone = row["n"], row["gone"]
    if gone <= limits.max_vanished * n:
        yield from _find_filtered(pair, limit=limits.max_shrink)
    elif gone >= LEAST_FACTS and gone <= limits.max_shrink * n:  # of more half_delivered tells
        yield f"{gone:,} of {n:,} leads dated before {format_us(pair.before_us)} are gone"


def _find_gone_facts(pair: Deliveries, name: str) -> Iterator[str]:
    """Moments at which a lead had facts of a table and has none; both deliveries have the lead."""
    parts = pair.parts(name)
    gone = sum(_count_gone_facts(pair, name, part) for part in parts.unequal)
    if gone < LEAST_FACTS:
        return
    n = sum(
        pair.number(f"SELECT COUNT(*) FROM ({_moments_sql(pair, name, part)}) AS b")
        for part in parts.all
    )
    if gone > pair.staged.settings.validation.max_vanished * n:
        yield f"{gone:,} of {n:,} facts of {name} dated before {format_us(pair.before_us)} are gone"


def _count_gone_facts(pair: Deliveries, name: str, part: str) -> int:
    """How many moments in a part of a table had facts and have none."""
    return pair.number(
        f"""SELECT COUNT(*) FROM ({_moments_sql(pair, name, part)}) AS b
        LEFT JOIN (SELECT DISTINCT lead_id, event_us FROM raw_now_{name} WHERE {part}) AS n
            ON n.lead_id = b.lead_id AND n.event_us = b.event_us
        WHERE n.lead_id IS NULL"""
    )


def _moments_sql(pair: Deliveries, name: str, part: str) -> str:
    """SQL of the moments in a part of a table with facts of the delivery before."""
    return f"""SELECT DISTINCT r.lead_id, r.event_us
        FROM (SELECT lead_id, event_us FROM raw_before_{name} WHERE {part}) AS r {LEADS_IN_BOTH}
        WHERE r.event_us < {pair.before_us}"""


def _find_filtered(pair: Deliveries, *, limit: float) -> Iterator[str]:
    """Open leads, or closed ones, that are gone as if the export left them out.

    They may be few of all leads, so they are compared with others of their kind.
    """
    rows = pair.engine.query(
        f"""SELECT b.us, CASE WHEN c.lead_id IS NULL THEN 0 ELSE 1 END AS closed,
        CASE WHEN n.lead_id IS NULL THEN 1 ELSE 0 END AS gone
        FROM (SELECT lead_id, MIN(event_us) AS us FROM raw_before_leads
            WHERE event_us < {pair.before_us} GROUP BY lead_id) AS b
        LEFT JOIN ({pair.closed_before_sql()}) AS c ON c.lead_id = b.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM raw_now_leads) AS n ON n.lead_id = b.lead_id"""
    )
    created_us = rows["us"].to_numpy()
    is_closed = rows["closed"].to_numpy() == 1
    is_gone = rows["gone"].to_numpy() == 1
    kinds = {"open": ~is_closed, "closed": is_closed}
    for kind, of_kind in kinds.items():
        yield from _find_filtered_kind(
            pair,
            created_us[of_kind],
            is_gone[of_kind],
            limit=limit,
            kind=kind,
        )


def _find_filtered_kind(
    pair: Deliveries,
    created_us: np.ndarray,
    is_gone: np.ndarray,
    *,
    limit: float,
    kind: str,
) -> Iterator[str]:
    """Many leads (n,) of a kind are gone, or most of those created since some month."""
    gone = int(is_gone.sum())
    if gone >= LEAST_FACTS and gone > limit * len(is_gone):
        yield f"{gone:,} of {len(is_gone):,} {kind} leads are gone"
        return
    for months in range(MONTHS, 0, -1):
        since_us = pair.before_us - months * MONTH_US
        is_recent = created_us >= since_us
        recent = int(is_recent.sum())
        gone = int(is_gone[is_recent].sum())
        if gone >= LEAST_FACTS and gone > MOST * recent:
            day = format_us(since_us)[:10]
            yield f"{gone:,} of {recent:,} {kind} leads that were created since {day} are gone"
            return
