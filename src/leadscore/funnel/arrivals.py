"""Leads yet to come: how many arrive a day, in which months more, and how many of them are won when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.funnel.periods import Period, list_periods
from leadscore.funnel.timing import WinTiming
from leadscore.times import DAY_US, local_midnights

WEEKS = 26  # that today's rate rests on
WEEK_US = 7 * DAY_US
YEARS = 2  # of whole months, before a season is told from a trend
MONTHS = 12


@dataclass(frozen=True)
class Arrivals:
    """At which rate leads arrive.

    Attributes:
        per_day: leads a day, apart from the season.
        variance: of the rate, relative to its square.
        season: (12,) the multiple of the rate in each month of the year, from January on.
        leads: how many the rate rests on.
        days: in which they arrived.
    """

    per_day: float
    variance: float
    season: np.ndarray
    leads: int
    days: float

    @property
    def has_season(self) -> bool:
        """Whether months differ."""
        return bool((self.season != 1).any())


def fit_arrivals(opened_us: np.ndarray, *, first_us: int, known_us: int, zone: str) -> Arrivals:
    """The rate of the last 26 weeks, as far as there are so many.

    Args:
        opened_us: (n,) when each lead was opened, or re-opened.
        first_us: the first moment of the history.
        known_us: the moment up to which it is known.
        zone: whose months count.
    """
    season = _fit_season(opened_us, first_us=first_us, known_us=known_us, zone=zone)
    weeks = int(np.clip((known_us - first_us) // WEEK_US, 1, WEEKS))
    since_us = known_us - weeks * WEEK_US
    recent = opened_us[(opened_us >= since_us) & (opened_us < known_us)]
    per_week = np.bincount((recent - since_us) // WEEK_US, minlength=weeks)

    expected_days = season[_months_of_days(since_us, known_us, zone)].sum()
    leads = len(recent)
    spread = _compute_spread(per_week)
    return Arrivals(
        per_day=leads / max(float(expected_days), 1.0),
        variance=spread / max(leads, 1),
        season=season,
        leads=leads,
        days=weeks * 7.0,
    )


def _compute_spread(counts: np.ndarray) -> float:
    """How much more counts vary than by chance: variance over mean, at least 1."""
    if len(counts) < 2 or counts.mean() == 0:
        return 1.0
    return float(max(counts.var(ddof=1) / counts.mean(), 1.0))


def _fit_season(opened_us: np.ndarray, *, first_us: int, known_us: int, zone: str) -> np.ndarray:
    """The multiple of each month of the year (12,), from whole years; 1 without two of them.

    A month's share of its year is averaged over the years, and shrunk toward 1 by as much of its
    spread as chance alone explains (James and Stein 1961).
    """
    months = _whole_months(first_us, known_us, zone)
    years = len(months) // MONTHS
    if years < YEARS:
        return np.ones(MONTHS)
    months = months[-years * MONTHS :]
    per_month = _count_in(opened_us, months).reshape(years, MONTHS)
    days = np.array([(p.end_us - p.start_us) / DAY_US for p in months]).reshape(years, MONTHS)
    of_year = per_month.sum(axis=1, keepdims=True) / days.sum(axis=1, keepdims=True)
    ratio = (per_month / days / np.maximum(of_year, 1e-9)).mean(axis=0)

    by_chance = MONTHS / max(per_month.sum(), 1)
    trust = max(0.0, 1 - by_chance / max(float(ratio.var()), 1e-12))
    first_month = int(months[0].name[-2:]) - 1
    season = np.roll(1 + trust * (ratio - 1), first_month)
    return np.asarray(season / season.mean())


def _whole_months(first_us: int, known_us: int, zone: str) -> list[Period]:
    """The months from the first moment on that are over, rising.

    The first lead need not arrive on the first day of a month.
    """
    count = (known_us - first_us) // (28 * DAY_US) + 2
    before = list_periods(known_us, by="month", count=-int(count), zone=zone)
    return [period for period in before if period.start_us >= first_us - WEEK_US]


def _count_in(moments_us: np.ndarray, periods: Sequence[Period]) -> np.ndarray:
    """How many moments lie in each period (m,)."""
    in_order = np.sort(moments_us)
    starts = [period.start_us for period in periods]
    ends = [period.end_us for period in periods]
    return np.searchsorted(in_order, ends) - np.searchsorted(in_order, starts)


def _months_of_days(start_us: int, end_us: int, zone: str) -> np.ndarray:
    """The month of the year, from 0, of every day that begins in [start_us, end_us)."""
    days = [day for day, _ in local_midnights(start_us, end_us, zone=zone)]
    months = np.array(days, dtype="datetime64[D]").astype("datetime64[M]")
    return np.asarray(months.astype(int) % MONTHS)


def expect_leads(
    arrivals: Arrivals, *, start_us: int, end_us: int, zone: str
) -> tuple[np.ndarray, np.ndarray]:
    """The leads expected on each day (d,) of [start_us, end_us), and the middle of the day, in us."""
    midnights = local_midnights(start_us, end_us, zone=zone)
    starts = np.array([start_us, *(us for _, us in midnights if us > start_us)])
    ends = np.append(starts[1:], end_us)
    months = pd.to_datetime(starts, unit="us", utc=True).tz_convert(zone).month.to_numpy()
    per_day = arrivals.per_day * arrivals.season[months - 1]
    return per_day * (ends - starts) / DAY_US, (starts + ends) / 2


def expect_wins(
    arrivals: Arrivals,
    timing: WinTiming,
    periods: Sequence[Period],
    *,
    as_of_us: int,
    zone: str,
) -> np.ndarray:
    """Expected wins (m,) in each period of the leads that arrive after `as_of_us`."""
    end_us = periods[-1].end_us
    leads, arrive_us = expect_leads(arrivals, start_us=as_of_us, end_us=end_us, zone=zone)
    new = np.zeros(len(leads))
    won_by = []
    for moment_us in [periods[0].start_us, *(period.end_us for period in periods)]:
        days = np.maximum(moment_us - arrive_us, 0) / DAY_US
        share = timing.share_won(new, days)
        won_by.append(float(leads @ share))
    return np.diff(won_by)
