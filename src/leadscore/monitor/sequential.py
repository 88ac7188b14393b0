"""A test of calibration that may be looked at after every list, as often as one likes.

A fixed-sample test that is repeated every week cries wolf sooner or later. This one bets against the
probabilities: its wealth stays a fair game as long as they are right, so that it ever reaches 1/a
with probability a at most (Ville 1939). Waudby-Smith and Ramdas (2024, "Estimating means of bounded
random variables by betting") explain such bets, and Arnold, Henzi and Ziegel (2023, "Sequentially
valid tests for forecast calibration") use them on forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.model.apply import logit, sigmoid
from leadscore.times import DAY_US

ALARM_RATE = 0.05  # chance that a calibrated model ever raises the alarm
TOLERANCE = 0.15  # log-odds: win rates that are off by so little are no alarm
BETS = (0.15, 0.35, 0.7)  # log-odds beyond the tolerance, up and down
RESTART_DAYS = 28  # a bet begins anew, so that a late change is not hidden by a good past


@dataclass(frozen=True)
class Evidence:
    """The wealth of the bets after each date.

    Attributes:
        dates: (d,) rising, of the lists.
        wealth: (d,) the e-value after the lists up to each date.
        since: the start of the bet that has grown most by the end.
    """

    dates: np.ndarray
    wealth: np.ndarray
    since: int

    def first_alarm(self) -> int | None:
        """The first date at which the limit was reached; None if it was not."""
        reached = np.flatnonzero(self.wealth >= 1 / ALARM_RATE)
        return int(self.dates[reached[0]]) if len(reached) else None


def bet_on_calibration(date: np.ndarray, probability: np.ndarray, label: np.ndarray) -> Evidence:
    """The evidence that win rates are not what was predicted, date by date.

    Rows must be of different leads, whose outcomes are independent given the probabilities. Tested
    is that every win rate is within `TOLERANCE` of its prediction, in log-odds. A bet multiplies
    its wealth by the likelihood of a win rate further off, over that at the border. Bets are on all
    leads and on the likelier and the less likely half, up and down, and begin anew every
    `RESTART_DAYS`; the j-th start has the share 1 / (j (j + 1)) of the wealth. Such a mixture of
    fair games is one, too.

    Args:
        date: (n,) the date of each row's list, UTC microseconds.
        probability: (n,) predicted.
        label: (n,) 1 if won, 0 if not.
    """
    dates, at = np.unique(date, return_inverse=True)
    of_bets = _log_growth(at, len(dates), probability, label)
    starts = _find_starts(dates)
    wealth = np.zeros(len(dates))
    by_end = []
    for number, start in enumerate(starts, 1):
        share = 1 / (number * (number + 1))
        grown = np.cumsum(np.where(np.arange(len(dates)) >= start, of_bets, 0.0), axis=1)
        of_start = np.exp(grown).mean(axis=0)
        wealth += share * of_start
        by_end.append(share * of_start[-1])
    wealth += 1 / (len(starts) + 1)  # what later starts will bet
    since = int(dates[starts[int(np.argmax(by_end))]])
    return Evidence(dates, wealth, since)


def _find_starts(dates: np.ndarray) -> list[int]:
    """The places of the dates at which bets begin: the first of every so many days."""
    periods = (dates - dates[0]) // (RESTART_DAYS * DAY_US)
    _, first = np.unique(periods, return_index=True)
    starts: list[int] = first.tolist()
    return starts


def _log_growth(
    at: np.ndarray, dates: int, probability: np.ndarray, label: np.ndarray
) -> np.ndarray:
    """By how much the log of each bet's wealth grows at each date, (bets, dates)."""
    log_odds = logit(np.clip(probability, 1e-6, 1 - 1e-6))
    is_upper = probability >= _running_middle(at, probability)
    parts = (np.ones(len(at)), is_upper, ~is_upper)
    growth: list[np.ndarray] = []
    for direction in (1, -1):
        border = sigmoid(log_odds + direction * TOLERANCE)
        for bet in BETS:
            further = sigmoid(log_odds + direction * (TOLERANCE + bet))
            won = np.log(further / border)
            lost = np.log((1 - further) / (1 - border))
            grown = np.where(label == 1, won, lost)
            growth += [np.bincount(at, weights=grown * part, minlength=dates) for part in parts]
    return np.array(growth)


def _running_middle(at: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The median probability (n,) of each row's own list, which was known before any outcome."""
    order = np.lexsort((probability, at))
    ends = np.searchsorted(at[order], np.arange(at.max() + 1), side="right")
    starts = np.r_[0, ends[:-1]]
    middles = probability[order][(starts + ends) // 2]
    return np.asarray(middles[at])
