"""When open leads are won: rates by age, and the probability within any time that follows.

A lead is won, lost, or still open, so a loss competes with a win. Between a few ages both rates are
taken as constant (the piecewise exponential model; Friedman 1982). Leads that are still open count
for as long as they were in sight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
        open_now, won_now = self._shares_at(self._known_age(age))
        _, won_then = self._shares_at(self._known_age(age) + within)
        return np.asarray((won_then - won_now) / open_now)

    def days_until(self, age: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Within how many days (n,) such a share of leads open at an age is won.

        Inverts `share_won`; infinite where so many are never won.
        """
        known_age = self._known_age(age)
        open_now, won_now = self._shares_at(known_age)
        share_of_new = won_now + share * open_now

        open_at, won_at = self._shares_of_new()
        place = np.searchsorted(won_at, share_of_new, side="right") - 1
        close = self.win + self.lose
        part_won = self.win / close * open_at
        passed = (share_of_new - won_at[place]) / part_won[place]
        since = -np.log1p(-np.minimum(passed, 1)) / close[place]
        return np.asarray(self.ages[place] + since - known_age)

    def _known_age(self, age: np.ndarray) -> np.ndarray:
        """The age, or the last one: from there on the rates change no more."""
        return np.asarray(np.minimum(age, self.ages[-1]))

    def _shares_of_new(self) -> tuple[np.ndarray, np.ndarray]:
        """The shares of new leads that are still open, and won, at each of the ages (k,)."""
        close = self.win + self.lose
        passed = np.diff(self.ages) * close[:-1]
        open_at = np.exp(-np.append(0.0, np.cumsum(passed)))
        won_between = (self.win / close)[:-1] * -np.diff(open_at)
        return open_at, np.append(0.0, np.cumsum(won_between))

    def _shares_at(self, age: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The shares of new leads that are still open, and won, at any ages (n,)."""
        open_at, won_at = self._shares_of_new()
        place = np.searchsorted(self.ages, age, side="right") - 1
        close = self.win + self.lose
        since = age - self.ages[place]
        still_open = open_at[place] * np.exp(-close[place] * since)
        won_since = (self.win / close)[place] * (open_at[place] - still_open)
        return still_open, won_at[place] + won_since


def fit_timing(days: np.ndarray, won: np.ndarray, lost: np.ndarray) -> WinTiming:
    """The rates of leads that were open for so many days (n,), until won, lost or last seen.

    A rate is events per day of open leads. It is shrunk toward the rate at all ages with the weight
    of one event, so that none is 0 where few leads are left.

    Args:
        days: (n,) how long a lead was open.
        won: (n,) whether it was won then.
        lost: (n,) whether it was lost then.
    """
    ages = _choose_ages(days[won])
    win = _compute_rates(days, won, ages)
    lose = _compute_rates(days, lost, ages)
    return WinTiming(ages, win, lose, int(won.sum()))


def _choose_ages(days_to_win: np.ndarray) -> np.ndarray:
    """Ages (k,), the first of them 0, between which about equally many leads were won."""
    rates = int(np.clip(len(days_to_win) // WINS_PER_RATE, 1, MOST_RATES))
    if rates == 1:
        return np.zeros(1)
    shares = np.arange(1, rates) / rates
    later = np.quantile(days_to_win, shares)
    return np.unique(np.append(0.0, later))


def _compute_rates(days: np.ndarray, ended: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Events a day of open leads (k,) from each age to the next."""
    until = np.append(ages[1:], np.inf)
    spans = zip(ages, until, strict=True)
    open_days = [(np.clip(days, start, end) - start).sum() for start, end in spans]
    place = np.searchsorted(ages, days[ended], side="right") - 1
    events = np.bincount(place, minlength=len(ages))

    total_days = max(float(days.sum()), 1.0)
    overall = max(float(events.sum()) / total_days, LEAST_RATE)
    return np.asarray((events + 1) / (np.array(open_days) + 1 / overall))


def win_probability_within(
    probability: np.ndarray,
    timing: WinTiming,
    age: np.ndarray,
    *,
    days: np.ndarray | float,
    horizon_days: float,
) -> np.ndarray:
    """The probability (n,) of a win within some days, given that within the horizon.

    A lead's chance of no win is that of leads of its age to a power, which its own probability sets:
    proportional subdistribution hazards (Fine and Gray 1999). So it never falls with the days,
    stays below 1 beyond the horizon, and at the horizon is the probability given.

    Args:
        probability: (n,) of a win within the horizon.
        timing: how fast leads are won.
        age: (n,) of the leads, in days.
        days: within which a win counts, for all or (n,); may be infinite.
        horizon_days: of `probability`.
    """
    within_days = np.log1p(-timing.share_won(age, days))
    within_horizon = np.log1p(-timing.share_won(age, horizon_days))
    power = within_days / within_horizon
    with np.errstate(divide="ignore"):
        computed = -np.expm1(power * np.log1p(-probability))
    no_later = np.minimum(computed, probability)  # the last bits must not break the order
    no_sooner = np.maximum(computed, probability)
    beside = np.where(np.less(days, horizon_days), no_later, no_sooner)
    return np.where(np.equal(days, horizon_days), probability, beside)


def days_to_win(
    probability: np.ndarray,
    timing: WinTiming,
    age: np.ndarray,
    *,
    share: float,
    horizon_days: float,
) -> np.ndarray:
    """Days (n,) within which a lead is won with such a share of its chance of ever being won.

    With a share of 0.5 it is the median of the time to a win, for leads that are won.
    """
    ever = win_probability_within(probability, timing, age, days=np.inf, horizon_days=horizon_days)
    within_horizon = np.log1p(-timing.share_won(age, horizon_days))
    power = np.log1p(-share * ever) / np.log1p(-probability)
    of_its_age = -np.expm1(power * within_horizon)
    return timing.days_until(age, of_its_age)
