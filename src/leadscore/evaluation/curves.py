"""The curves of an evaluation as plain records, short enough to keep and to draw; nothing is drawn here.

Rows of equal probability enter together, so that no curve depends on the order of rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet, by_value
from leadscore.history.absences import seen_until
from leadscore.times import DAY_US

POINTS = 200
DISTRIBUTION_BINS = 20
BOUNDS = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1.0,
)  # where the axis of a distribution may end: 20 bins give round edges

Records = list[dict[str, float]]


def compute_roc(evaluated: EvaluationSet) -> Records:
    """From the top of the list: true_positive_rate (share of wins above) by false_positive_rate (share of others).

    From (0, 0) to (1, 1); empty unless there are both wins and others.
    """
    won, other = _from_top(evaluated)
    if not (won.sum() > 0 and other.sum() > 0):
        return []
    x, y = np.r_[0.0, np.cumsum(other)], np.r_[0.0, np.cumsum(won)]
    return _records({"false_positive_rate": x / x[-1], "true_positive_rate": y / y[-1]})


def compute_precision_recall(evaluated: EvaluationSet) -> Records:
    """From the top of the list: precision (share won of those above) by recall (share of wins above).

    The last point has recall 1, and the win rate as its precision; empty without a win.
    """
    won, other = _from_top(evaluated)
    if not won.sum() > 0:
        return []
    found = np.cumsum(won)
    return _records({"recall": found / found[-1], "precision": found / np.cumsum(won + other)})


def compute_lift_curve(evaluated: EvaluationSet) -> Records:
    """From the top of the list: captured (share of wins) and lift (captured / share) by share of the list.

    Ends at share 1, captured 1, lift 1; empty without a win.
    """
    won, other = _from_top(evaluated)
    if not won.sum() > 0:
        return []
    found, seen = np.cumsum(won), np.cumsum(won + other)
    captured, share = found / found[-1], seen / seen[-1]
    return _records({"share": share, "captured": captured, "lift": captured / share})


def compute_distribution(evaluated: EvaluationSet) -> Records:
    """Weight of won and of other rows in 20 equal bins of probability, low <= p < high; the last holds its end too.

    The bins reach from 0 to the first of `BOUNDS` that no probability exceeds.
    """
    if not len(evaluated.probability):
        return []
    top = next(bound for bound in BOUNDS if bound >= evaluated.probability.max())
    edges = np.round(np.linspace(0, top, DISTRIBUTION_BINS + 1), 6)
    at = np.clip(
        np.searchsorted(edges, evaluated.probability, side="right") - 1, 0, DISTRIBUTION_BINS - 1
    )
    won, other = (
        np.bincount(at, weights=evaluated.weight * label, minlength=DISTRIBUTION_BINS)
        for label in (evaluated.label, 1 - evaluated.label)
    )
    return _records({"low": edges[:-1], "high": edges[1:], "won": won, "other": other})


def compute_maturity(spells: pd.DataFrame, known_us: int) -> Records:
    """Share of spells won within so many days of their start, while others were lost or are open still.

    The cumulative incidence of winning (Aalen and Johansen 1978): a loss competes, for whoever is lost is not won
    later; who is open at `known_us` is censored. From day 0 to the longest time that a spell was watched.

    Args:
        spells: as `build_spells` gives them for `known_us`.
        known_us: until when they were watched.
    """
    days, share = _incidence(spells, known_us)
    return _records({"days": days, "share": share})


def compute_days_to_win(spells: pd.DataFrame, known_us: int) -> Mapping[str, float | None]:
    """Days since the start by which 50 and 90 % of the wins seen have come (`half`, `nine_tenths`); None without wins.

    Of the wins that `compute_maturity` shows: those that nobody was watched long enough to see are not among them.
    """
    days, share = _incidence(spells, known_us)
    if not len(share) or share[-1] <= 0:
        return {"half": None, "nine_tenths": None}
    reached = {"half": 0.5, "nine_tenths": 0.9}
    return {
        name: float(days[np.argmax(share >= part * share[-1])]) for name, part in reached.items()
    }


def _incidence(spells: pd.DataFrame, known_us: int) -> tuple[np.ndarray, np.ndarray]:
    """Days (n,), rising from 0, and the share won by each (n,)."""
    if spells.empty:
        return np.empty(0), np.empty(0)
    start, close = spells["start_us"].to_numpy(), spells["close_us"].to_numpy()
    closed, won = close < known_us, spells["won"].to_numpy(dtype=bool)
    watched = np.maximum(np.minimum(close, seen_until(spells, known_us)) - start, 0)
    times, at = np.unique(watched, return_inverse=True)
    ended = np.bincount(at, weights=closed, minlength=len(times))
    wins = np.bincount(at, weights=closed & won, minlength=len(times))
    at_risk = len(watched) - np.searchsorted(np.sort(watched), times, side="left")
    still_open = np.cumprod(np.r_[1.0, 1 - ended / at_risk])[:-1]
    share = np.minimum(np.cumsum(still_open * wins / at_risk), 1.0)
    event = (wins > 0) | (np.arange(len(times)) == len(times) - 1)
    days, share = times[event] / DAY_US, share[event]
    return (days, share) if days[0] == 0 else (np.r_[0.0, days], np.r_[0.0, share])


def _from_top(evaluated: EvaluationSet) -> tuple[np.ndarray, np.ndarray]:
    """Weight of won and of other rows at each distinct probability, falling."""
    _, won, other = by_value(evaluated.probability, evaluated.label, evaluated.weight)
    weighs = won + other > 0
    return won[weighs][::-1], other[weighs][::-1]


def _records(columns: Mapping[str, np.ndarray]) -> Records:
    """At most `POINTS` of the points, evenly spread, with the first and the last."""
    n = len(next(iter(columns.values())))
    kept = np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(int))
    return [{name: float(values[i]) for name, values in columns.items()} for i in kept]
