"""Wins and revenue to come, by period, from an outlook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.funnel.arrivals import count_in, expect_wins
from leadscore.funnel.outlook import Outlook
from leadscore.funnel.periods import Period, list_periods
from leadscore.funnel.simulate import (
    Doubt,
    Draws,
    NewLeads,
    OpenLeads,
    excess_variance,
    simulate,
)
from leadscore.funnel.wins import revenue_between
from leadscore.results.base import Band
from leadscore.results.forecast import ForecastPeriod, Views
from leadscore.times import DAY_US, format_us

PAST_PERIODS = 24  # from which the spread of periods is taken
YEAR_US = 365 * DAY_US  # of wins, from which the revenue of leads to come is drawn
SHARES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Simulated:
    """A forecast's futures, with what has been won in the same periods (m,)."""

    periods: list[Period]
    draws: Draws
    won: np.ndarray
    won_revenue: np.ndarray
    doubt: Doubt
    new_wins: np.ndarray
    has_amounts: bool

    @property
    def wins(self) -> np.ndarray:
        """Wins (draws, m) of whole periods."""
        return np.asarray(self.won + self.draws.wins)

    @property
    def revenue(self) -> np.ndarray:
        """Revenue (draws, m) of whole periods."""
        return np.asarray(self.won_revenue + self.draws.revenue)


def simulate_periods(outlook: Outlook, periods: Sequence[Period]) -> Simulated:
    """The futures of some periods in a row, the first of which may have begun.

    Of several pipelines each is drawn by its own rates; together they are the whole.
    """
    parts = simulate_parts(outlook, periods)
    return add_up(list(parts.values()), has_amounts=outlook.has_amounts)


def simulate_parts(outlook: Outlook, periods: Sequence[Period]) -> dict[str, Simulated]:
    """The futures of each pipeline by itself."""
    return {name: _simulate_part(part, periods) for name, part in outlook.parts().items()}


def add_up(parts: Sequence[Simulated], *, has_amounts: bool) -> Simulated:
    """The futures of several pipelines together, draw by draw."""
    if len(parts) == 1:
        return parts[0]
    draws = [part.draws for part in parts]
    new_wins = sum_of([part.new_wins for part in parts])
    of_new = sum_of([part.draws.rate * part.new_wins for part in parts])
    divisor = np.where(new_wins > 0, new_wins, 1.0)
    together = Draws(
        rate=np.where(new_wins > 0, of_new / divisor, 1.0),
        open_wins=sum_of([drawn.open_wins for drawn in draws]),
        open_revenue=sum_of([drawn.open_revenue for drawn in draws]),
        new_wins=sum_of([drawn.new_wins for drawn in draws]),
        new_revenue=sum_of([drawn.new_revenue for drawn in draws]),
    )
    return Simulated(
        periods=parts[0].periods,
        draws=together,
        won=sum_of([part.won for part in parts]),
        won_revenue=sum_of([part.won_revenue for part in parts]),
        doubt=parts[0].doubt,
        new_wins=new_wins,
        has_amounts=has_amounts,
    )


def sum_of(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The sum of arrays of one shape."""
    return np.asarray(np.sum(np.stack(arrays), axis=0))


def _simulate_part(outlook: Outlook, periods: Sequence[Period]) -> Simulated:
    chances = chances_of(outlook, periods)
    leads = OpenLeads(chances, outlook.revenue)
    new_wins = expect_new_wins(outlook, periods)
    new = NewLeads(new_wins, usual_revenue(outlook))
    doubt = estimate_doubt(outlook, periods)

    won = []
    won_revenue = []
    for period in periods:
        revenue = revenue_between(outlook.wins, period.start_us, period.end_us)
        won.append(len(revenue))
        won_revenue.append(np.nansum(revenue))
    return Simulated(
        periods=list(periods),
        draws=simulate(leads, new, doubt, seed=outlook.seed),
        won=np.array(won),
        won_revenue=np.array(won_revenue),
        doubt=doubt,
        new_wins=new_wins,
        has_amounts=outlook.has_amounts,
    )


def chances_of(outlook: Outlook, periods: Sequence[Period]) -> np.ndarray:
    """The probability (n, m) that each open lead is won in each period."""
    ends = [outlook.win_by(period.end_us) for period in periods]
    before = outlook.win_by(periods[0].start_us)
    by_date = np.column_stack([before, *ends])
    return np.diff(by_date, axis=1)


def expect_new_wins(outlook: Outlook, periods: Sequence[Period]) -> np.ndarray:
    """The wins (m,) that are expected in each period of leads yet to come."""
    of_parts = [
        expect_wins(
            part.arrivals,
            part.timing,
            periods,
            as_of_us=outlook.as_of_us,
            zone=outlook.zone,
        )
        for part in outlook.parts().values()
    ]
    return sum_of(of_parts)


def usual_revenue(outlook: Outlook) -> np.ndarray:
    """What wins of the last year brought (k,), or all wins if there were none in it."""
    if not outlook.has_amounts:
        return np.empty(0)
    as_of_us = outlook.as_of_us
    recent = revenue_between(outlook.wins, as_of_us - YEAR_US, as_of_us)
    if len(recent):
        return recent
    return revenue_between(outlook.wins, outlook.first_us, as_of_us)


def estimate_doubt(outlook: Outlook, periods: Sequence[Period]) -> Doubt:
    """How far rates may be off: by the wins they rest on, and as past periods of this kind varied.

    Periods within a horizon of the first lead are left out: the first leads were not yet won.
    """
    counts = count_past_wins(outlook, periods[0])
    return Doubt(
        level=1 / outlook.timing.wins,
        arrivals=outlook.arrivals.variance,
        period=excess_variance(counts),
    )


def count_past_wins(outlook: Outlook, period: Period) -> np.ndarray:
    """Wins (k,) in up to 24 whole periods of the same kind before a period, rising in time."""
    before = list_periods(
        period.start_us,
        by=period.by,
        count=-PAST_PERIODS,
        zone=outlook.zone,
    )
    warm_us = outlook.first_us + outlook.horizon_days * DAY_US
    whole = [past for past in before if past.start_us >= warm_us]
    close_us = outlook.wins["close_us"].to_numpy()
    return count_in(close_us, whole)


def describe_periods(simulated: Simulated) -> list[ForecastPeriod]:
    """The periods, each with its bands."""
    return [_describe(simulated, [place]) for place in range(len(simulated.periods))]


def describe_total(simulated: Simulated) -> ForecastPeriod:
    """All periods as one."""
    return _describe(simulated, range(len(simulated.periods)))


def _describe(simulated: Simulated, places: Sequence[int]) -> ForecastPeriod:
    at = list(places)
    first = simulated.periods[at[0]]
    last = simulated.periods[at[-1]]
    is_one = first is last
    draws = simulated.draws
    period = ForecastPeriod(
        period=first.name if is_one else f"{first.name} to {last.name}",
        start=format_us(first.start_us),
        end=format_us(last.end_us),
        won=int(simulated.won[at].sum()),
        wins=band(_sum(simulated.wins, at)),
        wins_from_open=_mean_sum(draws.open_wins, at),
        wins_from_new=_mean_sum(draws.new_wins, at),
    )
    if not simulated.has_amounts:
        return period
    revenue = {
        "won_revenue": float(simulated.won_revenue[at].sum()),
        "revenue": band(_sum(simulated.revenue, at)),
        "revenue_from_open": _mean_sum(draws.open_revenue, at),
        "revenue_from_new": _mean_sum(draws.new_revenue, at),
    }
    return period.model_copy(update=revenue)


def _sum(drawn: np.ndarray, at: list[int]) -> np.ndarray:
    """Some of the periods of draws (draws, m) together, (draws,)."""
    return np.asarray(drawn[:, at].sum(axis=1))


def _mean_sum(drawn: np.ndarray, at: list[int]) -> float:
    together = _sum(drawn, at)
    return float(together.mean())


def band(drawn: np.ndarray) -> Band:
    """The mean and the 10, 50 and 90% points of draws (draws,), each a value that was drawn."""
    low, middle, high = np.quantile(drawn, SHARES, method="inverted_cdf")
    return Band(
        mean=float(drawn.mean()),
        low=float(low),
        middle=float(middle),
        high=float(high),
    )


def holds(band: Band | None, came: float | None) -> bool:
    """Whether what came lies within the band, its ends included."""
    return band is not None and came is not None and band.low <= came <= band.high


def describe_views(outlook: Outlook, total: ForecastPeriod) -> Views | None:
    """The total as sales teams speak of it; None without amounts."""
    if total.revenue is None:
        return None
    amounts = outlook.leads["amount"].fillna(0.0)
    pipeline = float(amounts.sum())
    from_open = total.revenue_from_open
    return Views(
        commit=total.revenue.low,
        likely=total.revenue.middle,
        best_case=total.revenue.high,
        pipeline=pipeline,
        coverage=pipeline / from_open if from_open else None,
    )
