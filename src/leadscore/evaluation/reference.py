"""The reference distribution, which turns a probability into a score and a tier."""

from __future__ import annotations

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.settings.tiers import Tiers

POINTS = 1000


def build_reference(evaluated: EvaluationSet) -> list[float]:
    """The evaluated probabilities as 1,000 quantiles of equal weight, without running intercept."""
    probability = evaluated.without_times
    order = np.argsort(probability, kind="stable")
    rising = probability[order]
    weight = evaluated.weight[order]

    shares = (np.arange(POINTS) + 0.5) / POINTS
    middles = shares * weight.sum()
    at = np.searchsorted(np.cumsum(weight), middles)
    last = len(rising) - 1
    quantiles: list[float] = rising[np.minimum(at, last)].tolist()
    return quantiles


def compute_score(probability: np.ndarray, reference: list[float]) -> np.ndarray:
    """Scores (n,) from 0 to 100: the percentage of the reference below each probability.

    Equal ones count half, as in SciPy's `percentileofscore(..., kind="mean")`, which would compare
    every probability with every point.

    Args:
        probability: (n,) calibrated.
        reference: what `build_reference` gave.
    """
    points = np.array(reference, dtype=np.float64)
    points.sort()
    below = np.searchsorted(points, probability, side="left")
    not_above = np.searchsorted(points, probability, side="right")
    return 100.0 * (below + not_above) / 2 / len(points)


def decide_tier(score: np.ndarray, probability: np.ndarray, tiers: Tiers) -> np.ndarray:
    """Tiers A to D (n,) by score or by probability, as the settings say.

    Tiers by capacity need a whole list; for leads alone they are those of the score.
    """
    measure = probability if tiers.by == "probability" else score
    is_in = {
        "A": measure >= tiers.a,
        "B": measure >= tiers.b,
        "C": measure >= tiers.c,
    }
    conditions = list(is_in.values())
    return np.select(conditions, list(is_in), default="D")
