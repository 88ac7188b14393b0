"""The curves of an evaluation as points, few enough to keep and to draw.

Rows of equal probability enter together, so that no curve depends on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet, by_value
from leadscore.evaluation.sums import sum_by
from leadscore.history.absences import seen_until
from leadscore.results import (
    DaysToWin,
    DistributionBin,
    LiftPoint,
    MaturityPoint,
    PrecisionPoint,
    Result,
    RocPoint,
)
from leadscore.times import DAY_US

POINTS = 200
DISTRIBUTION_BINS = 20
# Where the axis of a distribution may end, so that its bins have round edges.
BOUNDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

Point = TypeVar("Point", bound=Result)


def compute_roc(evaluated: EvaluationSet) -> list[RocPoint]:
    """The ROC curve, from (0, 0) to (1, 1); empty unless there are both wins and others."""
    won, lost = _from_top(evaluated)
    has_both = won.sum() > 0 and lost.sum() > 0
    if not has_both:
        return []
    false_positives = np.r_[0.0, np.cumsum(lost)]
    true_positives = np.r_[0.0, np.cumsum(won)]
    columns = {
        "false_positive_rate": false_positives / false_positives[-1],
        "true_positive_rate": true_positives / true_positives[-1],
    }
    return _points(RocPoint, columns)


def compute_precision_recall(evaluated: EvaluationSet) -> list[PrecisionPoint]:
    """The precision-recall curve from the top of the list; empty without a win.

    Its last point has recall 1, and the win rate as its precision.
    """
    won, lost = _from_top(evaluated)
    if not won.sum() > 0:
        return []
    true_positives = np.cumsum(won)
    columns = {
        "recall": true_positives / true_positives[-1],
        "precision": true_positives / np.cumsum(won + lost),
    }
    return _points(PrecisionPoint, columns)


def compute_lift_curve(evaluated: EvaluationSet) -> list[LiftPoint]:
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
    columns = {"share": share, "captured": captured, "lift": captured / share}
    return _points(LiftPoint, columns)


def compute_distribution(evaluated: EvaluationSet) -> list[DistributionBin]:
    """The weight of won and of other rows in 20 equal bins of probability.

    A bin holds low <= p < high, the last its upper end too. The bins reach from 0 to the first of
    `BOUNDS` that no probability exceeds.
    """
    probability = evaluated.probability
    if not len(probability):
        return []
    top = next(bound for bound in BOUNDS if bound >= probability.max())
    spaced = np.linspace(0, top, DISTRIBUTION_BINS + 1)
    edges = np.round(spaced, 6)
    at = np.searchsorted(edges, probability, side="right") - 1
    at = np.clip(at, 0, DISTRIBUTION_BINS - 1)

    weight = evaluated.weight
    won = sum_by(at, weight * evaluated.label, places=DISTRIBUTION_BINS)
    weight_not_won = weight * (1 - evaluated.label)
    other = sum_by(at, weight_not_won, places=DISTRIBUTION_BINS)
    columns = {
        "low": edges[:-1],
        "high": edges[1:],
        "won": won,
        "other": other,
    }
    return _points(DistributionBin, columns)


def _from_top(evaluated: EvaluationSet) -> tuple[np.ndarray, np.ndarray]:
    """The weight of won and of other rows at each distinct probability, falling."""
    _, won, lost = by_value(evaluated.probability, evaluated.label, evaluated.weight)
    has_weight = won + lost > 0
    from_top = np.flatnonzero(has_weight)[::-1]
    return won[from_top], lost[from_top]


def compute_maturity(spells: pd.DataFrame, known_us: int) -> list[MaturityPoint]:
    """The share of spells won within so many days of their start, from day 0.

    The cumulative incidence of winning with losses as a competing risk: a lost lead is not won
    later, and one still open at `known_us` is censored (Aalen and Johansen 1978).

    Args:
        spells: as `build_spells` gives them for `known_us`.
        known_us: until when they were followed.
    """
    days, share = _incidence(spells, known_us)
    return _points(MaturityPoint, {"days": days, "share": share})


def compute_days_to_win(spells: pd.DataFrame, known_us: int) -> DaysToWin:
    """The days by which 50 and 90% of the wins seen have come.

    Of the wins that `compute_maturity` shows; wins later than the longest follow-up are not among
    them. None without wins.
    """
    days, share = _incidence(spells, known_us)
    if not len(share) or share[-1] <= 0:
        return DaysToWin(half=None, nine_tenths=None)

    def reached(part: float) -> float:
        is_reached = share >= part * share[-1]
        return float(days[np.argmax(is_reached)])

    return DaysToWin(half=reached(0.5), nine_tenths=reached(0.9))


def _incidence(spells: pd.DataFrame, known_us: int) -> tuple[np.ndarray, np.ndarray]:
    """Days (n,), rising from 0, and the share won by each (n,).

    The Aalen-Johansen estimate: sum over times of S(t-) * wins(t) / at_risk(t), where S is the
    Kaplan-Meier share still open.
    """
    if spells.empty:
        return np.empty(0), np.empty(0)
    start_us = spells["start_us"].to_numpy()
    close_us = spells["close_us"].to_numpy()
    is_closed = close_us < known_us
    is_won = is_closed & spells["won"].to_numpy(dtype=bool)
    until_us = np.minimum(close_us, seen_until(spells, known_us))
    followed_us = np.maximum(until_us - start_us, 0)

    times, at = np.unique(followed_us, return_inverse=True)
    closes = sum_by(at, is_closed, places=len(times))
    wins = sum_by(at, is_won, places=len(times))
    in_order = np.sort(followed_us)
    ended_before = np.searchsorted(in_order, times, side="left")
    at_risk = len(followed_us) - ended_before
    stay_open = np.append(1.0, 1 - closes / at_risk)
    still_open = np.cumprod(stay_open)[:-1]
    won_at = still_open * wins / at_risk
    share = np.minimum(np.cumsum(won_at), 1.0)

    is_point = wins > 0
    is_point[-1] = True
    days = times[is_point] / DAY_US
    share = share[is_point]
    if days[0] > 0:
        days = np.r_[0.0, days]
        share = np.r_[0.0, share]
    return days, share


def _points(kind: type[Point], columns: Mapping[str, np.ndarray]) -> list[Point]:
    """At most `POINTS` of the points, evenly spread, the first and the last among them."""
    n = len(next(iter(columns.values())))
    spaced = np.linspace(0, n - 1, min(n, POINTS))
    places = spaced.round().astype(int)
    points = []
    for place in np.unique(places):
        values = {}
        for name, column in columns.items():
            values[name] = float(column[place])
        points.append(kind.from_dict(values))
    return points
