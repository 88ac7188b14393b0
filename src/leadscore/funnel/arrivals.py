"""Leads yet to come: how many arrive a day, in which months more, and how many are won when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.funnel.periods import Period, list_periods
from leadscore.funnel.timing import WinTiming
from leadscore.times import DAY_US, local_midnights

WEEKS = 26  # that today's rate rests on
WEEK_DAYS = 7
WEEK_US = WEEK_DAYS * DAY_US
YEARS = 2  # of whole months, before a season is told from a trend
MONTHS = 12
SHORTEST_MONTH_US = 28 * DAY_US
TINY = 1e-12


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
        differs = self.season != 1
        return bool(differs.any())


def fit_arrivals(
    opened_us: np.ndarray,
    *,
    first_us: int,
    known_us: int,
    zone: str,
) -> Arrivals:
    """The rate of the last 26 weeks, as far as there are so many.

    Args:
        opened_us: (n,) when each lead was opened, or re-opened.
        first_us: the first moment of the history.
        known_us: the moment up to which it is known.
        zone: whose months count.
    """
    season = _fit_season(
        opened_us,
        first_us=first_us,
        known_us=known_us,
        zone=zone,
    )
    whole_weeks = (known_us - first_us) // WEEK_US
    weeks = int(np.clip(whole_weeks, 1, WEEKS))
    since_us = known_us - weeks * WEEK_US
    per_week = _count_weeks(opened_us, since_us=since_us, weeks=weeks)

    months = _months_of_days(since_us, known_us, zone)
    usual_days = float(season[months].sum())
    leads = int(per_week.sum())
    spread = _compute_spread(per_week)
    return Arrivals(
        per_day=leads / max(usual_days, 1.0),
        variance=spread / max(leads, 1),
        season=season,
        leads=leads,
        days=float(weeks * WEEK_DAYS),
    )


def _count_weeks(
    opened_us: np.ndarray,
    *,
    since_us: int,
    weeks: int,
) -> np.ndarray:
    """How many leads were opened in each week (weeks,) from a moment on."""
    week = (opened_us - since_us) // WEEK_US
    inside = (week >= 0) & (week < weeks)
    return np.bincount(week[inside], minlength=weeks)


def _compute_spread(counts: np.ndarray) -> float:
    """How much more counts vary than by chance: variance over mean, at least 1."""
    mean = counts.mean()
    if len(counts) < 2 or mean == 0:
        return 1.0
    ratio = counts.var(ddof=1) / mean
    return max(float(ratio), 1.0)


def _fit_season(
    opened_us: np.ndarray,
    *,
    first_us: int,
    known_us: int,
    zone: str,
) -> np.ndarray:
    """The multiple of each month of the year (12,), from whole years; 1 without two of them.

    Only the latest years count in which leads came in every month: a stray old lead begins no year.

    A month's rate as a multiple of its year's is averaged over the years, and shrunk toward 1 by
    the share of its spread that chance alone explains (James and Stein 1961).
    """
    months = _whole_months(first_us, known_us, zone)
    years = len(months) // MONTHS
    if years < YEARS:
        return np.ones(MONTHS)

    months = months[-years * MONTHS :]
    leads = count_in(opened_us, months)
    years = _count_full_years(leads.reshape(years, MONTHS))
    if years < YEARS:
        return np.ones(MONTHS)

    months = months[-years * MONTHS :]
    leads = leads[-years * MONTHS :]
    ratio = _compare_months(leads, months, years=years)
    by_chance = MONTHS / max(int(leads.sum()), 1)
    spread = max(float(ratio.var()), TINY)
    trust = max(0.0, 1 - by_chance / spread)

    shrunk = 1 + trust * (ratio - 1)
    first_month = int(months[0].name[-2:]) - 1
    season = np.roll(shrunk, first_month)
    return np.asarray(season / season.mean())


def _count_full_years(per_month: np.ndarray) -> int:
    """How many years at the end of (years, 12) have leads in every month."""
    has_gap = (per_month == 0).any(axis=1)
    gaps = np.flatnonzero(has_gap)
    last_gap = gaps[-1] if len(gaps) else -1
    return int(len(per_month) - 1 - last_gap)


def _compare_months(
    leads: np.ndarray,
    months: Sequence[Period],
    *,
    years: int,
) -> np.ndarray:
    """The rate of each month as a multiple of its year's (12,), averaged over the years."""
    spans_us = [month.end_us - month.start_us for month in months]
    days = np.array(spans_us) / DAY_US
    shape = (years, MONTHS)
    per_month = leads.reshape(shape)
    days_of_month = days.reshape(shape)

    rate = per_month / days_of_month
    of_year = per_month.sum(axis=1) / days_of_month.sum(axis=1)
    usual = np.maximum(of_year, TINY)
    ratio = rate / usual[:, None]
    return np.asarray(ratio.mean(axis=0))


def _whole_months(first_us: int, known_us: int, zone: str) -> list[Period]:
    """The months from the first moment on that are over, rising.

    The first lead need not arrive on the first day of a month.
    """
    most = (known_us - first_us) // SHORTEST_MONTH_US + 2
    before = list_periods(known_us, by="month", count=-int(most), zone=zone)
    since_us = first_us - WEEK_US
    return [month for month in before if month.start_us >= since_us]


def count_in(moments_us: np.ndarray, periods: Sequence[Period]) -> np.ndarray:
    """How many moments lie in each period (m,)."""
    in_order = np.sort(moments_us)
    starts = [period.start_us for period in periods]
    ends = [period.end_us for period in periods]
    before = np.searchsorted(in_order, starts)
    by_end = np.searchsorted(in_order, ends)
    return np.asarray(by_end - before)


def _months_of_days(start_us: int, end_us: int, zone: str) -> np.ndarray:
    """The month of the year, from 0, of every day that begins in [start_us, end_us)."""
    midnights = local_midnights(start_us, end_us, zone=zone)
    numbers = [day for day, _ in midnights]
    days = np.array(numbers, dtype="datetime64[D]")
    months = days.astype("datetime64[M]")
    return np.asarray(months.astype(int) % MONTHS)


def expect_leads(
    arrivals: Arrivals,
    *,
    start_us: int,
    end_us: int,
    zone: str,
) -> tuple[np.ndarray, np.ndarray]:
    """The leads expected on each day (d,) of [start_us, end_us), and the middle of the day, in us."""
    midnights = local_midnights(start_us + 1, end_us, zone=zone)
    later = [us for _, us in midnights]
    starts = np.array([start_us, *later])
    ends = np.array([*later, end_us])

    moments = pd.to_datetime(starts, unit="us", utc=True)
    month = moments.tz_convert(zone).month.to_numpy()
    per_day = arrivals.per_day * arrivals.season[month - 1]
    days = (ends - starts) / DAY_US
    middle = (starts + ends) / 2
    return per_day * days, middle


def expect_wins(
    arrivals: Arrivals,
    timing: WinTiming,
    periods: Sequence[Period],
    *,
    as_of_us: int,
    zone: str,
) -> np.ndarray:
    """Expected wins (m,) in each period of the leads that arrive after `as_of_us`."""
    first, last = periods[0], periods[-1]
    leads, arrive_us = expect_leads(
        arrivals,
        start_us=as_of_us,
        end_us=last.end_us,
        zone=zone,
    )
    age = np.zeros(len(leads))
    ends = [period.end_us for period in periods]
    won_by = []
    for moment_us in [first.start_us, *ends]:
        since_us = np.maximum(moment_us - arrive_us, 0)
        share = timing.share_won(age, since_us / DAY_US)
        won = leads @ share
        won_by.append(won)
    return np.diff(won_by)
