"""Pipeline velocity: what the open leads bring a day, and its parts."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from leadscore.funnel.competing import (
    UNKNOWN,
    estimate_shares,
    in_days,
    mean_hours,
    share_or_wilson,
    staying_after,
)
from leadscore.funnel.spells import count_endings
from leadscore.funnel.wins import SPELL, read_wins
from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.results.base import Interval
from leadscore.results.funnel import Velocity
from leadscore.times import DAY_US


def measure_velocity(history: History, spells: pd.DataFrame, span: Span) -> Velocity:
    """Leads x value x win rate / cycle length, as known at the end of the span.

    The cycle is the mean time until leads are won *or* lost. By Little's law, open leads divided by
    it are the leads that close a day; the product is then the amount won a day, at a steady inflow.

    Args:
        history: of the project.
        spells: as `list_endings` returns them; wins of other leads do not count.
        span: the period.
    """
    is_begun = spells["start_us"] >= span.since_us
    cycle = _measure_cycle(spells[is_begun])
    amounts, currency = _read_revenue(history, spells, span)
    days = (span.known_us - span.since_us) / DAY_US
    value = None
    won_per_day = None
    if len(amounts):
        value = float(amounts.mean())
        won_per_day = float(amounts.sum()) / days
    is_open = spells["ending"] == "open"
    leads = int(is_open.sum())
    return Velocity(
        leads=leads,
        wins=len(amounts),
        value=value,
        currency=currency,
        win_rate=cycle.win_rate,
        cycle_days=cycle.days,
        within_days=cycle.within_days,
        still_open=cycle.still_open,
        per_day=_multiply(leads, value, cycle.win_rate.value, cycle.days),
        won_per_day=won_per_day,
    )


@dataclass(frozen=True)
class _Cycle:
    """The share won, the mean days to a close, and the share still open, all within so many days."""

    win_rate: Interval = UNKNOWN
    days: float | None = None
    within_days: float | None = None
    still_open: float | None = None


def _measure_cycle(begun: pd.DataFrame) -> _Cycle:
    """The cycle of leads, within as many days as enough of them were followed."""
    ends = count_endings(begun)
    within = ends.last_with_enough()
    if within is None:
        return _Cycle()
    shares = estimate_shares(ends)
    return _Cycle(
        win_rate=share_or_wilson(ends, shares, "won", within),
        days=in_days(mean_hours(shares, within)),
        within_days=in_days(within),
        still_open=staying_after(shares, within),
    )


def _multiply(
    leads: int,
    value: float | None,
    win_rate: float | None,
    cycle_days: float | None,
) -> float | None:
    if value is None or win_rate is None or not cycle_days:
        return None
    return leads * value * win_rate / cycle_days


def _read_revenue(
    history: History,
    spells: pd.DataFrame,
    span: Span,
) -> tuple[pd.Series[float], str | None]:
    """What each win of the period brought, as far as it is known, and the currency.

    None are given where they are in several currencies (see `read_wins`).
    """
    currencies = history.facts.currencies(span.known_us)
    wins = read_wins(history, known_us=span.known_us)
    recent = wins[wins["close_us"] >= span.since_us]
    counted = recent.merge(spells[SPELL], on=SPELL)  # faster than to look up a million texts
    revenue = counted["revenue"].dropna()
    return revenue, currencies[0] if len(currencies) == 1 else None
