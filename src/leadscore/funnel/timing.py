"""When open leads are won: rates by age, and the probability within any time that follows.

A lead is won, lost, or still open, so a loss competes with a win. Between a few ages both rates are
taken as constant (the piecewise exponential model; Friedman 1982). Leads that are still open count
for as long as they were in sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from leadscore.model.pace.pace import Pace

WINS_PER_RATE = 20  # at least so many wins between two ages
MOST_RATES = 20
LEAST_RATE = 1e-12  # a day: where nothing was ever won, or lost


@dataclass(frozen=True)
class WinTiming:
    """How fast open leads are won and lost, by age.

    Attributes:
        ages: (k,) days since a lead was opened, rising from 0. Each rate holds until the next age,
            the last for good.
        win: (k,) wins a day of an open lead.
        lose: (k,) losses a day of an open lead.
        wins: how many wins it rests on.
    """

    ages: np.ndarray
    win: np.ndarray
    lose: np.ndarray
    wins: int

    def share_won(self, age: np.ndarray, within: np.ndarray | float) -> np.ndarray:
        """The share won within so many days of leads that are open at an age (n,), both in days.

        With `within` infinite it is the share that is ever won.
        """
        now = self._known_age(age)
        open_now, won_now = self._shares_at(now)
        _, won_then = self._shares_at(now + within)
        return np.asarray((won_then - won_now) / open_now)

    def days_until(self, age: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Within how many days (n,) such a share of leads open at an age is won.

        Inverts `share_won`; infinite where so many are never won.
        """
        now = self._known_age(age)
        open_now, won_now = self._shares_at(now)
        of_new = won_now + share * open_now

        last_passed = np.searchsorted(self._won_at, of_new, side="right")
        place = last_passed - 1
        most = (self._of_closed * self._open_at)[place]
        passed = (of_new - self._won_at[place]) / most
        still_open = 1 - np.minimum(passed, 1)
        with np.errstate(divide="ignore"):
            since = -np.log(still_open) / self._close[place]
        return np.asarray(self.ages[place] + since - now)

    @property
    def _close(self) -> np.ndarray:
        """Closes a day (k,) of an open lead."""
        return np.asarray(self.win + self.lose)

    @property
    def _of_closed(self) -> np.ndarray:
        """The share of closes that are wins (k,)."""
        return np.asarray(self.win / self._close)

    @cached_property
    def _open_at(self) -> np.ndarray:
        """The share of new leads that is still open at each of the ages (k,)."""
        spans = np.diff(self.ages)
        passed = spans * self._close[:-1]
        total = np.cumsum(passed)
        return np.asarray(np.exp(-np.append(0.0, total)))

    @cached_property
    def _won_at(self) -> np.ndarray:
        """The share of new leads that is won by each of the ages (k,)."""
        closed = -np.diff(self._open_at)
        won = closed * self._of_closed[:-1]
        total = np.cumsum(won)
        return np.append(0.0, total)

    def _known_age(self, age: np.ndarray) -> np.ndarray:
        """The age, or the last one: from there on the rates change no more."""
        last = self.ages[-1]
        return np.asarray(np.minimum(age, last))

    def _shares_at(self, age: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The shares of new leads that are still open, and won, at any ages (n,)."""
        last_passed = np.searchsorted(self.ages, age, side="right")
        place = last_passed - 1
        since = age - self.ages[place]
        open_then = self._open_at[place]
        still_open = open_then * np.exp(-self._close[place] * since)

        closed_since = open_then - still_open
        won_since = closed_since * self._of_closed[place]
        return still_open, self._won_at[place] + won_since


def fit_timing(
    days: np.ndarray,
    won: np.ndarray,
    lost: np.ndarray,
) -> WinTiming:
    """The rates of leads that were open for so many days (n,), until won, lost or last seen.

    A rate is events per day of open leads. It is shrunk toward the rate at all ages with the weight
    of one event, so that none is 0 where few leads are left.

    Args:
        days: (n,) how long a lead was open.
        won: (n,) whether it was won then.
        lost: (n,) whether it was lost then.
    """
    ages = _choose_ages(days[won])
    return WinTiming(
        ages=ages,
        win=_compute_rates(days, won, ages),
        lose=_compute_rates(days, lost, ages),
        wins=int(won.sum()),
    )


def _choose_ages(days_to_win: np.ndarray) -> np.ndarray:
    """Ages (k,), the first of them 0, between which about equally many leads were won."""
    affordable = len(days_to_win) // WINS_PER_RATE
    rates = int(np.clip(affordable, 1, MOST_RATES))
    shares = np.arange(1, rates) / rates
    later = np.quantile(days_to_win, shares) if rates > 1 else shares
    ages = np.append(0.0, later)
    return np.unique(ages)


def _compute_rates(
    days: np.ndarray,
    ended: np.ndarray,
    ages: np.ndarray,
) -> np.ndarray:
    """Events a day of open leads (k,) from each age to the next."""
    until = np.append(ages[1:], np.inf)
    open_days = []
    for start, end in zip(ages, until, strict=True):
        inside = np.clip(days, start, end) - start
        open_days.append(inside.sum())

    last_passed = np.searchsorted(ages, days[ended], side="right")
    events = np.bincount(last_passed - 1, minlength=len(ages))
    total_days = max(float(days.sum()), 1.0)
    overall = max(events.sum() / total_days, LEAST_RATE)
    days_of_one_event = 1 / overall
    return np.asarray((events + 1) / (np.array(open_days) + days_of_one_event))


def win_probability_within(
    probability: np.ndarray,
    timing: WinTiming,
    age: np.ndarray,
    pace: Pace,
    *,
    days: np.ndarray | float,
) -> np.ndarray:
    """The probability (n,) of a win within some days, given that within the horizon.

    Up to the horizon it is the given one times the share that has come by then, which is known at
    the days of the pace; between two of them it grows with the share of leads of that age that are
    won. Beyond the horizon, a lead's chance of no win is that of leads of its age to a power, which
    its own probability sets: proportional subdistribution hazards (Fine and Gray 1999). So it never
    falls with the days, stays below 1, and at the horizon is the probability given.

    Args:
        probability: (n,) of a win within the horizon.
        timing: how fast leads are won.
        age: (n,) of the leads, in days.
        pace: how each probability is spread over the horizon.
        days: within which a win counts, for all or (n,); may be infinite.
    """
    horizon_days = pace.days[-1]
    before = probability * _share_come(timing, age, pace, np.minimum(days, horizon_days))

    share_within = timing.share_won(age, days)
    share_at_horizon = timing.share_won(age, horizon_days)
    with np.errstate(divide="ignore"):
        own_hazard = -np.log1p(-probability)
    own_within = own_hazard * _hazard(share_within) / _hazard(share_at_horizon)
    beyond = -np.expm1(-own_within)

    # the last bits must not break the order
    no_sooner = np.maximum(beyond, probability)
    is_at_horizon = np.equal(days, horizon_days)
    beside = np.where(np.less(days, horizon_days), before, no_sooner)
    return np.where(is_at_horizon, probability, beside)


@dataclass(frozen=True)
class _Between:
    """For each lead (n,) two days of the pace, one after the other.

    Attributes:
        days: of both.
        shares: of the lead's chance that have come by them.
        won: the shares of leads of its age that are won by them.
    """

    days: tuple[np.ndarray, np.ndarray]
    shares: tuple[np.ndarray, np.ndarray]
    won: tuple[np.ndarray, np.ndarray]

    @classmethod
    def at(cls, place: np.ndarray, timing: WinTiming, age: np.ndarray, pace: Pace) -> Self:
        """The days at some places (n,), the last day excepted, and those after them."""
        leads = np.arange(len(age))
        start = pace.days[place]
        end = pace.days[place + 1]
        return cls(
            days=(start, end),
            shares=(pace.shares[leads, place], pace.shares[leads, place + 1]),
            won=(timing.share_won(age, start), timing.share_won(age, end)),
        )


def _share_come(
    timing: WinTiming,
    age: np.ndarray,
    pace: Pace,
    days: np.ndarray | float,
) -> np.ndarray:
    """The share (n,) of each lead's chance that has come within some days of the horizon."""
    last_passed = np.searchsorted(pace.days[:-1], days, side="right")
    place = np.broadcast_to(last_passed - 1, len(age))
    between = _Between.at(place, timing, age, pace)
    start, end = between.days
    won_by_start, won_by_end = between.won
    won_since = timing.share_won(age, days) - won_by_start
    won_between = won_by_end - won_by_start

    # where hardly anybody is left, the last bits have nothing to say
    evenly = (days - start) / (end - start)
    passed = np.divide(won_since, won_between, out=evenly, where=won_between > 0)
    low, high = between.shares
    come = low + np.clip(passed, 0, 1) * (high - low)
    return np.asarray(np.minimum(come, high))


def _hazard(share: np.ndarray) -> np.ndarray:
    """The cumulative subdistribution hazard (n,) behind a share won."""
    return np.asarray(-np.log1p(-share))


def days_to_win(
    probability: np.ndarray,
    timing: WinTiming,
    age: np.ndarray,
    pace: Pace,
    *,
    share: float,
) -> np.ndarray:
    """Days (n,) within which a lead is won with such a share of its chance of ever being won.

    With a share of 0.5 it is the median of the time to a win, for leads that are won. Inverts
    `win_probability_within`.
    """
    ever = win_probability_within(probability, timing, age, pace, days=np.inf)
    wanted = share * ever
    before = _won_when_come(timing, age, pace, wanted / probability)

    share_at_horizon = timing.share_won(age, pace.days[-1])
    own_part = np.log1p(-wanted) / np.log1p(-probability)
    beyond = -np.expm1(-own_part * _hazard(share_at_horizon))
    of_its_age = np.where(wanted < probability, before, beyond)
    return timing.days_until(age, of_its_age)


def _won_when_come(
    timing: WinTiming,
    age: np.ndarray,
    pace: Pace,
    come: np.ndarray,
) -> np.ndarray:
    """The share (n,) of leads of its age that are won by when a share of a lead's chance has come.

    Of a share of 1 or more it means nothing.
    """
    passed = (pace.shares[:, :-1] <= come[:, None]).sum(axis=1)
    between = _Between.at(passed - 1, timing, age, pace)
    low, high = between.shares
    won_by_start, won_by_end = between.won
    part = (come - low) / (high - low)
    return np.asarray(won_by_start + part * (won_by_end - won_by_start))
