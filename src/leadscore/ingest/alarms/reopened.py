"""Closed leads that are open again because the delivery lacks their outcome or closing stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leadscore.ingest.alarms.deliveries import LEADS_IN_BOTH, Deliveries

LEAST_CLOSES = 5  # a lead or two is re-opened in any week, however few are closed


@dataclass(frozen=True)
class Lost:
    """How many leads of both deliveries had something before, and how many have it no more."""

    had: int
    lost: int

    def is_raised(self, limit: float) -> bool:
        """Whether more than the share `limit` lost it."""
        return self.lost >= LEAST_CLOSES and self.lost > limit * self.had


def find_reopened(pair: Deliveries) -> Iterator[str]:
    """Leads that lost their outcome, or their closing stage; the same leads are counted once."""
    limit = pair.staged.settings.validation.max_closes_vanished
    before, now = _closed_leads_sql(pair, "before"), _closed_leads_sql(pair, "now")
    if not before:
        return
    closes_before = " UNION ".join(before.values())
    closes_now = " UNION ".join(now.values())
    any_close = _count_lost(pair, closes_before, closes_now)
    if any_close.is_raised(limit):
        yield f"{any_close.lost:,} of {any_close.had:,} closed leads are open again"
    for name, sql in before.items():
        leads = _count_lost(pair, sql, now[name])
        is_news = leads.lost > any_close.lost or not any_close.is_raised(limit)
        if is_news and leads.is_raised(limit):
            yield f"{leads.lost:,} of {leads.had:,} leads with {name} have none now"


def _closed_leads_sql(pair: Deliveries, side: str) -> dict[str, str]:
    """SQL of the leads that a delivery shows closed, by what closes them."""
    closed = {}
    if "outcomes" in pair.tables:
        closed["outcomes"] = f"SELECT lead_id FROM raw_{side}_outcomes"
    if "stages" in pair.tables:
        closing = pair.staged.closing_stages_sql()
        closed["closing stages"] = f"""SELECT lead_id FROM raw_{side}_stages
            WHERE stage IN ({closing})"""
    return closed


def _count_lost(pair: Deliveries, before: str, now: str) -> Lost:
    row = pair.row(
        f"""SELECT COUNT(*) AS n, COUNT(CASE WHEN n.lead_id IS NULL THEN 1 END) AS gone
        FROM (SELECT DISTINCT r.lead_id FROM ({before}) AS r {LEADS_IN_BOTH}) AS b
        LEFT JOIN (SELECT DISTINCT lead_id FROM ({now}) AS s) AS n ON n.lead_id = b.lead_id"""
    )
    return Lost(had=row["n"], lost=row["gone"])
