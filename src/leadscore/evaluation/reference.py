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

    middles = (np.arange(POINTS) + 0.5) / POINTS * weight.sum()
    at = np.searchsorted(np.cumsum(weight), middles)
    quantiles = rising[np.minimum(at, len(rising) - 1)]
    return [float(quantile) for quantile in quantiles]


def compute_score(probability: np.ndarray, reference: list[float]) -> np.ndarray:
    """Scores (n,) from 0 to 100: the percentage of the reference below each probability.

    Equal ones count half, as in SciPy's `percentileofscore(..., kind="mean")`, which would compare
    every probability with every point.

    Args:
        probability: (n,) calibrated.
        reference: what `build_reference` gave.
    """
    points = np.sort(np.array(reference, dtype=np.float64))
    below = np.searchsorted(points, probability, side="left")
    not_above = np.searchsorted(points, probability, side="right")
    return 100.0 * (below + not_above) / 2 / len(points)


def decide_tier(score: np.ndarray, probability: np.ndarray, tiers: Tiers) -> np.ndarray:
    """Tiers A to D (n,) by score or by probability, as the settings say.

    Tiers by capacity need a whole list; for leads alone they are those of the score.
    """
    measure = probability if tiers.by == "probability" else score
    borders = (measure >= tiers.a, measure >= tiers.b, measure >= tiers.c)
    return np.select(borders, ["A", "B", "C"], default="D")
