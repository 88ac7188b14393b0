"""The shift of calibrated log-odds that fits the outcomes known at a moment."""

from __future__ import annotations

import numpy as np

from leadscore.model.apply import sigmoid

SPREAD = 2.0  # standard deviation of the prior on the shift, in log-odds
MOST_STEPS = 100
TOLERANCE = 1e-10  # log-odds


def fit_shift(
    log_odds: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    start: float = 0.0,
) -> float:
    """The posterior mode of the shift, by Newton's method; 0 without rows.

    It maximises sum(weight * log likelihood(label | log_odds + shift)) - shift^2 / (2 SPREAD^2).

    Args:
        log_odds: (n,) calibrated, without a shift.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        start: where to begin; only the last digits depend on it.
    """
    shift = start
    for _ in range(MOST_STEPS):
        expected = sigmoid(log_odds + shift)
        residual = weight * (label - expected)
        information = weight * expected * (1 - expected)

        slope = float(residual.sum()) - shift / SPREAD**2
        curvature = float(information.sum()) + 1 / SPREAD**2
        step = min(max(slope / curvature, -1.0), 1.0)
        shift += step
        if abs(step) < TOLERANCE:
            break
    return shift
