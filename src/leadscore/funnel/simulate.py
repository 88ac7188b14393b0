"""Wins and revenue to come, drawn many times: what is unknown of leads, rates and months is drawn too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

DRAWS = 2000
CHUNK = 2_000_000  # draws of leads in memory at a time


@dataclass(frozen=True)
class OpenLeads:
    """Open leads.

    Attributes:
        chances: (n, m) the probability of a win in each period.
        revenue: (n,) what each brings if won.
    """

    chances: np.ndarray
    revenue: np.ndarray


@dataclass(frozen=True)
class NewLeads:
    """Leads yet to come.

    Attributes:
        wins: (m,) expected in each period.
        revenue: (k,) what past wins brought, from which theirs is drawn.
    """

    wins: np.ndarray
    revenue: np.ndarray


@dataclass(frozen=True)
class Doubt:
    """How far the rates may be off: variances of factors whose mean is 1.

    Attributes:
        level: of all win rates, for the wins that they rest on are few.
        arrivals: of the rate at which leads arrive.
        period: of a single period, in which more or less is won than usual.
    """

    level: float
    arrivals: float
    period: float


@dataclass(frozen=True)
class Draws:
    """Simulated futures, (draws, m) each: wins and revenue, from open leads and those to come.

    `rate` is the factor of the win rates.
    """

    rate: np.ndarray
    open_wins: np.ndarray
    open_revenue: np.ndarray
    new_wins: np.ndarray
    new_revenue: np.ndarray

    @property
    def wins(self) -> np.ndarray:
        """All wins (draws, m)."""
        return np.asarray(self.open_wins + self.new_wins)

    @property
    def revenue(self) -> np.ndarray:
        """All revenue (draws, m)."""
        return np.asarray(self.open_revenue + self.new_revenue)


def simulate(
    leads: OpenLeads,
    new: NewLeads,
    doubt: Doubt,
    *,
    seed: int,
    draws: int = DRAWS,
) -> Draws:
    """Futures drawn with a seed: every open lead is won once at most, and leads to come by Poisson.

    Rates are gamma-distributed around their estimates, which makes counts negative binomial.
    """
    rng = np.random.default_rng(seed)
    shape = (draws, len(new.wins))
    once = (draws, 1)
    level = _draw_factors(rng, doubt.level, once)
    of_period = _draw_factors(rng, doubt.period, shape)
    rate = level * of_period
    open_wins, open_revenue = _draw_open(rng, leads, rate)

    arriving = _draw_factors(rng, doubt.arrivals, once)
    new_wins = rng.poisson(rate * arriving * new.wins)
    new_revenue = _draw_sums(rng, new_wins, new.revenue)
    return Draws(
        rate=rate,
        open_wins=open_wins,
        open_revenue=open_revenue,
        new_wins=new_wins,
        new_revenue=new_revenue,
    )


def _draw_factors(
    rng: Generator,
    variance: float,
    shape: tuple[int, int],
) -> np.ndarray:
    """Factors with mean 1 and such a variance."""
    if variance <= 0:
        return np.ones(shape)
    return rng.gamma(1 / variance, variance, shape)


def _draw_open(
    rng: Generator,
    leads: OpenLeads,
    rate: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Wins and revenue (draws, m) of open leads, whose chances are multiplied by `rate`."""
    wins = np.zeros(rate.shape, dtype=np.int64)
    revenue = np.zeros(rate.shape)
    draws = len(rate)
    n = len(leads.revenue)
    step = max(CHUNK // draws, 1)
    for start in range(0, n, step):
        chunk = slice(start, start + step)
        of_leads = leads.revenue[chunk]
        chances = leads.chances[chunk]
        drawn = rng.random((draws, len(chances)))
        below = np.zeros_like(drawn)
        for period, of_period in enumerate(chances.T):
            up_to = below + np.outer(rate[:, period], of_period)
            is_won = (drawn >= below) & (drawn < up_to)
            wins[:, period] += is_won.sum(axis=1)
            revenue[:, period] += is_won @ of_leads
            below = up_to
    return wins, revenue


def _draw_sums(
    rng: Generator,
    counts: np.ndarray,
    values: np.ndarray,
) -> np.ndarray:
    """Sums of so many values each, drawn with replacement; 0 without values."""
    if not len(values):
        return np.zeros(counts.shape)
    flat = counts.ravel()
    total = int(flat.sum())
    drawn = rng.choice(values, total)
    places = np.arange(len(flat))
    owner = np.repeat(places, flat)
    sums = np.bincount(owner, weights=drawn, minlength=len(flat))
    return sums.reshape(counts.shape)


def excess_variance(counts: np.ndarray) -> float:
    """How much more periods vary than by chance: the variance of a factor with mean 1, at least 0.

    From differences of neighbouring counts (n,), in which a slow trend cancels out (von Neumann
    1941): half their mean square is what chance gives, the mean count, and the excess.
    """
    if len(counts) < 2 or not counts.any():
        return 0.0
    mean = counts.mean()
    differences = np.diff(counts)
    variance = (differences**2).mean() / 2
    excess = (variance - mean) / mean**2
    return max(float(excess), 0.0)
