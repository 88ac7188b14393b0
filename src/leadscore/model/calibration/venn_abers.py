"""Inductive Venn-Abers calibration, computed in advance as a step function of the log-odds.

A lead to be scored joins the calibration rows twice, once as won and once as not won. Isotonic
regression then gives it p1 and p0, and p1 / (1 - p0 + p1) is the probability with the least regret
under log loss whichever is true (Vovk and Petej 2014, "Venn-Abers predictors").

Both p1 and p0 are slopes of a greatest convex minorant, which changes little from one log-odds
value to the next (Vovk, Petej and Fedorova 2015, "Large-scale probabilistic predictors",
algorithms 1 to 4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

# Places of the values of a step function: below the first knot, at it, above it, at the second, ...
BETWEEN_KNOTS = slice(0, None, 2)
AT_KNOTS = slice(1, None, 2)


def fit_venn_abers(log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    """Rising knots `raw` (m,) and a `probability` (2m + 1,) below, at and between the knots.

    The probabilities are in the order: below the first knot, at it, between it and the second, ...

    Args:
        log_odds: (n,).
        label: (n,) 0 or 1.
        weight: (n,) positive; the lead to be scored weighs 1.
    """
    knots, knot_of_row = np.unique(log_odds, return_inverse=True)
    total = np.bincount(knot_of_row, weights=weight)
    won = np.bincount(knot_of_row, weights=weight * label)
    not_won = total - won

    # p1 holds at a knot and just below it, p0 at a knot and just above it.
    p1_at_knot = _join_as_won(won, total)
    p0_at_knot = _join_as_not_won(not_won, total)
    p1 = np.append(p1_at_knot, 1.0)
    p0 = np.append(0.0, p0_at_knot)

    probability = np.empty(2 * len(knots) + 1)
    probability[BETWEEN_KNOTS] = _merge(p0, p1)
    probability[AT_KNOTS] = _merge(p0_at_knot, p1_at_knot)
    probability = np.maximum.accumulate(probability)  # equal steps may differ in the last bit

    # A knot where nothing rises is left out: the value below it holds on.
    between = probability[BETWEEN_KNOTS]
    is_step = between[1:] > between[:-1]
    steps = np.flatnonzero(is_step)
    at_step = 2 * steps + 1
    at_and_above = np.column_stack([at_step, at_step + 1])
    needed = np.append(0, np.ravel(at_and_above))
    return {
        "raw": knots[steps].tolist(),
        "probability": probability[needed].tolist(),
    }


def _merge(p0: np.ndarray, p1: np.ndarray) -> np.ndarray:
    """The one probability that stands for the pair (p0, p1)."""
    return np.asarray(p1 / (1 - p0 + p1))


def _join_as_not_won(not_won: np.ndarray, total: np.ndarray) -> np.ndarray:
    """p0 (m,): the same as p1 with outcomes exchanged and log-odds reversed."""
    exchanged = _join_as_won(not_won[::-1], total[::-1])
    return np.asarray(1 - exchanged[::-1])


def _join_as_won(won: np.ndarray, total: np.ndarray) -> np.ndarray:
    """p1 (m,): the isotonic value at each knot once a won row of weight 1 has joined it.

    In the cumulative sum diagram the new row moves every point to its right by (1, 1), which is
    the same as moving every point to its left by (-1, -1).

    Args:
        won: (m,) weight of the won rows at a knot.
        total: (m,) weight of all rows at a knot.
    """
    x = np.append(0.0, np.cumsum(total))
    y = np.append(0.0, np.cumsum(won))
    p1 = np.empty(len(total))
    corner_x = -1.0
    corner_y = -1.0
    slope = 0.0

    for knot in range(len(total)):
        moved_x = x[knot] - 1
        moved_y = y[knot] - 1
        on_minorant = corner_y + (moved_x - corner_x) * slope

        if knot == 0 or moved_y < on_minorant:  # the moved point is a new corner of the minorant
            rise = y[knot + 1 :] - moved_y
            run = x[knot + 1 :] - moved_x
            slope = float((rise / run).min())
            corner_x = moved_x
            corner_y = moved_y
        p1[knot] = slope

    return p1
