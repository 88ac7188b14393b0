"""Inductive Venn-Abers calibration, worked out in advance: a step function of raw.

A lead that is to be scored joins the calibration rows twice, once as won and once as not; isotonic regression then
gives it p1 and p0, and p1 / (1 - p0 + p1) is the probability that loses least whichever is true (Vovk and Petej 2014,
"Venn-Abers predictors"). Both are slopes of a greatest convex minorant, which moves little from one raw value to the
next (Vovk, Petej and Fedorova 2015, "Large-scale probabilistic predictors", algorithms 1-4).
"""

from __future__ import annotations

from typing import Any

import numpy as np


def fit_venn_abers(log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    """Rising knots `raw` (m,) and `probability` (2m + 1,): below the first, at it, between it and the next ...

    Args:
        log_odds: (n,) log-odds.
        label: (n,) 0 or 1.
        weight: (n,) positive; the lead to be scored weighs 1.
    """
    knots, at = np.unique(log_odds, return_inverse=True)
    total = np.bincount(at, weights=weight)
    won = np.bincount(at, weights=weight * label)
    p1 = np.append(
        _join_as_won(won, total), 1.0
    )  # of a lead at a knot or just below it; above all 1
    p0 = np.append(
        0.0, 1 - _join_as_won((total - won)[::-1], total[::-1])[::-1]
    )  # at a knot or just above it
    probability = np.empty(2 * len(knots) + 1)
    probability[::2] = p1 / (1 - p0 + p1)
    probability[1::2] = p1[:-1] / (1 - p0[1:] + p1[:-1])
    probability = np.maximum.accumulate(probability)  # equal steps may differ in the last bit
    steps = np.flatnonzero(
        probability[2::2] > probability[:-2:2]
    )  # elsewhere the value below a knot holds on
    kept = np.append(0, np.ravel(np.column_stack([2 * steps + 1, 2 * steps + 2])))
    return {"raw": knots[steps].tolist(), "probability": probability[kept].tolist()}


def _join_as_won(won: np.ndarray, total: np.ndarray) -> np.ndarray:
    """p1 (m,): the isotonic value at each knot once a won row of weight 1 has joined it.

    Args:
        won: (m,) weight of the rows at a knot that won.
        total: (m,) weight of all its rows.

    In the cumulative sum diagram, points right of the new row move by (1, 1); equally, those left of it by (-1, -1).
    """
    x, y = np.append(0.0, np.cumsum(total)), np.append(0.0, np.cumsum(won))
    p1 = np.empty(len(total))
    corner, slope = (-1.0, -1.0), -np.inf
    for i in range(len(total)):
        moved = (x[i] - 1, y[i] - 1)
        if (
            i == 0 or moved[1] < corner[1] + (moved[0] - corner[0]) * slope
        ):  # below the line: a corner of its own
            corner, slope = moved, float(((y[i + 1 :] - moved[1]) / (x[i + 1 :] - moved[0])).min())
        p1[i] = slope
    return p1
