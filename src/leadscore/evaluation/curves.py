"""The curves of an evaluation as records, few enough to keep and to draw.

Rows of equal probability enter together, so that no curve depends on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet, by_value
from leadscore.evaluation.sums import sum_by
from leadscore.history.absences import seen_until
from leadscore.times import DAY_US

POINTS = 200
DISTRIBUTION_BINS = 20
# Where the axis of a distribution may end, so that its bins have round edges.
BOUNDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

Records = list[dict[str, float]]


def compute_roc(evaluated: EvaluationSet) -> Records:
    """The ROC curve: true_positive_rate by false_positive_rate, from (0, 0) to (1, 1).

    Empty unless there are both wins and others.
    """
    won, lost = _from_top(evaluated)
    if not (won.sum() > 0 and lost.sum() > 0):
        return []
    false_positives = np.r_[0.0, np.cumsum(lost)]
    true_positives = np.r_[0.0, np.cumsum(won)]
    return _records(
        {
            "false_positive_rate": false_positives / false_positives[-1],
            "true_positive_rate": true_positives / true_positives[-1],
        }
    )


def compute_precision_recall(evaluated: EvaluationSet) -> Records:
    """The precision-recall curve from the top of the list; empty without a win.

    Its last point has recall 1, and the win rate as its precision.
    """
    won, lost = _from_top(evaluated)
    if not won.sum() > 0:
        return []
    true_positives = np.cumsum(won)
    return _records(
        {
            "recall": true_positives / true_positives[-1],
            "precision": true_positives / np.cumsum(won + lost),
        }
    )


def compute_lift_curve(evaluated: EvaluationSet) -> Records:
    """The gains curve: captured (share of wins) and lift (captured / share) by share of the list.

    Ends at share 1, captured 1, lift 1; empty without a win.
    """
    won, lost = _from_top(evaluated)
    if not won.sum() > 0:
        return []
    wins = np.cumsum(won)
    rows = np.cumsum(won + lost)
    captured = wins / wins[-1]
    share = rows / rows[-1]
    return _records({"share": share, "captured": captured, "lift": captured / share})


def compute_distribution(evaluated: EvaluationSet) -> Records:
    """The weight of won and of other rows in 20 equal bins of probability.

    A bin holds low <= p < high, the last its upper end too. The bins reach from 0 to the first of
    `BOUNDS` that no probability exceeds.
    """
    probability = evaluated.probability
    if not len(probability):
        return []
    top = next(bound for bound in BOUNDS if bound >= probability.max())
    edges = np.round(np.linspace(0, top, DISTRIBUTION_BINS + 1), 6)
    at = np.searchsorted(edges, probability, side="right") - 1
    at = np.clip(at, 0, DISTRIBUTION_BINS - 1)

    weight = evaluated.weight
    won = sum_by(at, weight * evaluated.label, places=DISTRIBUTION_BINS)
    other = sum_by(at, weight * (1 - evaluated.label), places=DISTRIBUTION_BINS)
    return _records({"low": edges[:-1], "high": edges[1:], "won": won, "other": other})


def _from_top(evaluated: EvaluationSet) -> tuple[np.ndarray, np.ndarray]:
    """The weight of won and of other rows at each distinct probability, falling."""
    _, won, lost = by_value(evaluated.probability, evaluated.label, evaluated.weight)
    has_weight = won + lost > 0
    return won[has_weight][::-1], lost[has_weight][::-1]


def compute_maturity(spells: pd.DataFrame, known_us: int) -> Records:
    """The share of spells won within so many days of their start, from day 0.

    The cumulative incidence of winning with losses as a competing risk: a lost lead is not won
    later, and one still open at `known_us` is censored (Aalen and Johansen 1978).

    Args:
        spells: as `build_spells` gives them for `known_us`.
        known_us: until when they were followed.
    """
    days, share = _incidence(spells, known_us)
    return _records({"days": days, "share": share})


def compute_days_to_win(spells: pd.DataFrame, known_us: int) -> Mapping[str, float | None]:
    """The days by which 50 and 90 % of the wins seen have come: `half`, `nine_tenths`.

    Of the wins that `compute_maturity` shows; wins later than the longest follow-up are not among
    them. None without wins.
    """
    days, share = _incidence(spells, known_us)
    if not len(share) or share[-1] <= 0:
        return {"half": None, "nine_tenths": None}

    def reached(part: float) -> float:
        return float(days[np.argmax(share >= part * share[-1])])

    return {"half": reached(0.5), "nine_tenths": reached(0.9)}


def _incidence(spells: pd.DataFrame, known_us: int) -> tuple[np.ndarray, np.ndarray]:
    """Days (n,), rising from 0, and the share won by each (n,).

    The Aalen-Johansen estimate: sum over times of S(t-) * wins(t) / at_risk(t), where S is the
    Kaplan-Meier share still open.
    """
    if spells.empty:
        return np.empty(0), np.empty(0)
    start = spells["start_us"].to_numpy()
    close = spells["close_us"].to_numpy()
    is_closed = close < known_us
    is_won = is_closed & spells["won"].to_numpy(dtype=bool)
    followed_us = np.minimum(close, seen_until(spells, known_us)) - start
    followed_us = np.maximum(followed_us, 0)

    times, at = np.unique(followed_us, return_inverse=True)
    closes = sum_by(at, is_closed, places=len(times))
    wins = sum_by(at, is_won, places=len(times))
    at_risk = len(followed_us) - np.searchsorted(np.sort(followed_us), times, side="left")
    still_open = np.cumprod(np.r_[1.0, 1 - closes / at_risk])[:-1]
    share = np.minimum(np.cumsum(still_open * wins / at_risk), 1.0)

    is_last = np.arange(len(times)) == len(times) - 1
    is_point = (wins > 0) | is_last
    days = times[is_point] / DAY_US
    share = share[is_point]
    if days[0] > 0:
        days = np.r_[0.0, days]
        share = np.r_[0.0, share]
    return days, share


def _records(columns: Mapping[str, np.ndarray]) -> Records:
    """At most `POINTS` of the points, evenly spread, the first and the last among them."""
    n = len(next(iter(columns.values())))
    chosen = np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(int))
    return [{name: float(values[i]) for name, values in columns.items()} for i in chosen]
