"""A test of calibration that may be looked at after every list, as often as one likes.

A fixed-sample test that is repeated every week cries wolf sooner or later. This one bets against the
probabilities: its wealth stays a fair game as long as they are right, so that it ever reaches 1/a
with probability a at most (Ville 1939). Waudby-Smith and Ramdas (2024, "Estimating means of bounded
random variables by betting") explain such bets, and Arnold, Henzi and Ziegel (2023, "Sequentially
valid tests for forecast calibration") use them on forecasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.model.apply import logit, sigmoid
from leadscore.monitor.windows import Pace, Windows
from leadscore.times import DAY_US

ALARM_RATE = 0.05  # chance that a calibrated model ever raises the alarm
TOLERANCE = 0.15  # log-odds: win rates that are off by so little are no alarm
BETS = (0.15, 0.35, 0.7)  # log-odds beyond the tolerance, up and down
RESTART_DAYS = 28  # a bet begins anew, so that a late change is not hidden by a good past


@dataclass(frozen=True)
class Evidence:
    """The wealth of the bets at each look.

    Attributes:
        looks: (t,) rising, UTC microseconds.
        wealth: (t,) the e-value by what was known before each look.
        since: the start of the bet that has grown most by the last one.
    """

    looks: np.ndarray
    wealth: np.ndarray
    since: int

    def first_alarm(self) -> int | None:
        """The first look at which the limit was reached; None if it was not."""
        reached = self.looks[self.wealth >= 1 / ALARM_RATE]
        return int(reached[0]) if len(reached) else None


def bet_on_calibration(windows: Windows, pace: Pace, looks: Sequence[int]) -> Evidence:
    """The evidence that win rates are not what was predicted, look by look.

    Tested is that every win rate is within `TOLERANCE` of its prediction p, in log-odds. A bet
    multiplies its wealth by the likelihood of a win rate q further off, over that at the border b:
    by q / b once a lead is won, and by (1 - q F) / (1 - b F) while it is not, where F is the share
    of wins that usually have come by then. This is fair at every moment, and at the end of the
    horizon, where F is 1, it does not depend on the pace. While too few wins are known to say what
    is usual, only horizons that are over count.

    Bets are on all leads and on the likelier and the less likely half, up and down, and begin anew
    every `RESTART_DAYS`; the j-th start has the share 1 / (j (j + 1)) of the wealth. Such a mixture
    of fair games is one, too.

    Args:
        windows: that begin before the last look, at least one.
        pace: of wins.
        looks: moments, rising.
    """
    first_us = windows.start_us.min()
    period = (windows.start_us - first_us) // (RESTART_DAYS * DAY_US)
    _, start, at = np.unique(period, return_index=True, return_inverse=True)
    growth = _sum_growth(windows, pace, looks, at)

    latest_first = growth[:, ::-1]
    since_start = np.cumsum(latest_first, axis=1)[:, ::-1]
    of_starts = np.exp(since_start).mean(axis=0)
    number = np.arange(1, len(start) + 1)
    shares = 1 / (number * (number + 1))
    of_later_starts = 1 / (len(start) + 1)  # what these will bet
    wealth = shares @ of_starts + of_later_starts

    last = shares * of_starts[:, -1]
    best = start[np.argmax(last)]
    since_us = int(windows.start_us[best])
    return Evidence(np.array(looks), wealth, since_us)


def _sum_growth(
    windows: Windows,
    pace: Pace,
    looks: Sequence[int],
    start: np.ndarray,
) -> np.ndarray:
    """By how much windows of each start have made the log of each bet's wealth grow, (bets, starts, looks)."""
    half = _is_upper(windows).astype(int)
    group = 2 * start + half  # the lower half of a start, then its upper half
    odds = _Odds.of(windows.probability)
    of_ended = _grow_ended(windows, odds, looks, group)
    of_running = _grow_running(windows, odds, pace, looks, group)
    of_groups = of_ended + of_running
    lower = of_groups[:, ::2]
    upper = of_groups[:, 1::2]
    return np.concatenate([lower + upper, lower, upper])


def _grow_ended(
    windows: Windows,
    odds: _Odds,
    looks: Sequence[int],
    group: np.ndarray,
) -> np.ndarray:
    """The growth (bets, groups, looks) by windows whose horizon was over at each look."""
    is_won = windows.won_us < windows.end_us
    is_known = windows.followed_us >= windows.end_us
    growth = odds.growth(is_won, is_known.astype(float))

    is_over = windows.end_us <= looks[-1]
    first_look = np.searchsorted(looks, windows.end_us[is_over])
    at_looks = _no_growth(odds, looks, group)
    for bet, of_bet in enumerate(growth):
        places = (group[is_over], first_look)
        np.add.at(at_looks[bet], places, of_bet[is_over])
    return np.cumsum(at_looks, axis=2)


def _grow_running(
    windows: Windows,
    odds: _Odds,
    pace: Pace,
    looks: Sequence[int],
    group: np.ndarray,
) -> np.ndarray:
    """The growth (bets, groups, looks) by windows whose horizon was not over at each look."""
    at_looks = _no_growth(odds, looks, group)
    groups = at_looks.shape[1]
    for number, look_us in enumerate(looks):
        has_begun = windows.start_us < look_us
        goes_on = windows.end_us > look_us
        running = np.flatnonzero(has_begun & goes_on)
        part = windows.take(running)
        share = pace.shares(part.elapsed(look_us), look_us)
        if share is None:
            continue
        is_won = part.won_us < look_us
        growth = odds.take(running).growth(is_won, share)
        for bet, of_bet in enumerate(growth):
            at_looks[bet, :, number] = np.bincount(group[running], of_bet, minlength=groups)
    return at_looks


def _no_growth(odds: _Odds, looks: Sequence[int], group: np.ndarray) -> np.ndarray:
    """Zeros (bets, groups, looks), two groups a start."""
    starts = group.max() // 2 + 1
    return np.zeros((len(odds.border), 2 * starts, len(looks)))


@dataclass(frozen=True)
class _Odds:
    """Win rates at the border and further off, (bets, n) each."""

    border: np.ndarray
    further: np.ndarray

    @classmethod
    def of(cls, probability: np.ndarray) -> _Odds:
        bounded = np.clip(probability, 1e-6, 1 - 1e-6)
        log_odds = logit(bounded)
        border = []
        further = []
        for side in (1, -1):
            at_border = sigmoid(log_odds + side * TOLERANCE)
            for bet in BETS:
                beyond = side * (TOLERANCE + bet)
                border.append(at_border)
                further.append(sigmoid(log_odds + beyond))
        return cls(np.array(border), np.array(further))

    def take(self, rows: np.ndarray) -> _Odds:
        return _Odds(self.border[:, rows], self.further[:, rows])

    def growth(self, won: np.ndarray, share: np.ndarray) -> np.ndarray:
        """The log (bets, n) of what each lead multiplies the wealth by, of whose wins a share is due."""
        if_won = np.log(self.further / self.border)
        not_yet = np.log1p(-self.further * share)
        not_yet_at_border = np.log1p(-self.border * share)
        return np.asarray(np.where(won, if_won, not_yet - not_yet_at_border))


def _is_upper(windows: Windows) -> np.ndarray:
    """Which windows (n,) are in the likelier half of those that begin with them."""
    dates, at = np.unique(windows.start_us, return_inverse=True)
    order = np.lexsort((windows.probability, at))
    rising = windows.probability[order]
    ends = np.cumsum(np.bincount(at, minlength=len(dates)))
    starts = np.r_[0, ends[:-1]]
    middles = rising[(starts + ends) // 2]
    return np.asarray(windows.probability >= middles[at])
