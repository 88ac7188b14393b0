"""Leads followed from a list for one horizon, one after the other: what tests of calibration count.

A lead is on many lists, whose horizons overlap. Counted are its first list, then its first one after
that horizon, and so on: given the probabilities, wins within such windows are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.monitor.settle import NEVER_US, UNDATED, WITHOUT_LEAD

LEAST_WINS = 30  # by which the pace of wins is known


@dataclass(frozen=True)
class Windows:
    """Leads, each from a list on for its horizon; (n,) each, moments in UTC microseconds.

    Attributes:
        start_us: the date of the list.
        end_us: when the horizon is over.
        probability: of a win in between, as published.
        won_us: when that win was known; `NEVER_US` without one.
        followed_us: until when it is known whether the lead was won.
    """

    start_us: np.ndarray
    end_us: np.ndarray
    probability: np.ndarray
    won_us: np.ndarray
    followed_us: np.ndarray

    def take(self, rows: np.ndarray) -> Windows:
        """Some of them, by their places or by a mask."""
        return Windows(
            self.start_us[rows],
            self.end_us[rows],
            self.probability[rows],
            self.won_us[rows],
            self.followed_us[rows],
        )

    def elapsed(self, look_us: int) -> np.ndarray:
        """The share (n,) of each horizon of which the outcome was known before a moment."""
        until_us = np.minimum(self.followed_us, self.end_us)
        until_us = np.minimum(until_us, look_us)
        return self.share_of_horizon(until_us)

    def share_of_horizon(self, until_us: np.ndarray) -> np.ndarray:
        """The share (n,) of each horizon that lies before a moment (n,)."""
        horizon_us = self.end_us - self.start_us
        share = (until_us - self.start_us) / horizon_us
        return np.asarray(share)


def choose_windows(settled: pd.DataFrame) -> Windows:
    """The windows of published lists, by date.

    Args:
        settled: what `settle` gave.
    """
    is_usable = ~settled["state"].isin([UNDATED, WITHOUT_LEAD])
    left = settled[is_usable].sort_values(["as_of_us", "lead_id"], kind="stable")
    chosen = [left.head(0)]
    while len(left):
        first = left.drop_duplicates("lead_id")
        chosen.append(first)
        ends = first.set_index("lead_id")["end_us"]
        end_us = left["lead_id"].map(ends)
        left = left[left["as_of_us"] >= end_us]
    windows = pd.concat(chosen).sort_values(["as_of_us", "lead_id"], kind="stable")
    return Windows(
        start_us=windows["as_of_us"].to_numpy(),
        end_us=windows["end_us"].to_numpy(),
        probability=windows["probability"].to_numpy(dtype=float),
        won_us=windows["won_us"].to_numpy(),
        followed_us=windows["followed_us"].to_numpy(),
    )


class Pace:
    """Which share of the wins within a horizon has come by a part of it, as known at a moment."""

    def __init__(self, windows: Windows) -> None:
        """Learn it from all windows; each counts once its horizon is over."""
        won = windows.take(windows.won_us < NEVER_US)
        order = np.argsort(won.end_us, kind="stable")
        self._end_us = won.end_us[order]
        self._came = won.share_of_horizon(won.won_us)[order]

    def shares(self, elapsed: np.ndarray, look_us: int) -> np.ndarray | None:
        """The share (n,) of wins that come by a part (n,) of the horizon; None where too few were seen."""
        n = int(np.searchsorted(self._end_us, look_us, side="right"))
        if n < LEAST_WINS:
            return None
        came = np.sort(self._came[:n])
        return np.searchsorted(came, elapsed, side="right") / n
