"""The reference: the judged probabilities of the last split, by which a probability becomes a score and a tier."""

from __future__ import annotations

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.settings.tiers import Tiers

POINTS = 1000


def build_reference(evaluated: EvaluationSet) -> list[float]:
    """The judged probabilities, without the times, as quantiles, each standing for an equal share of their weight."""
    order = np.argsort(evaluated.without_times, kind="stable")
    p, weight = evaluated.without_times[order], evaluated.weight[order]
    middle = (np.arange(POINTS) + 0.5) / POINTS * weight.sum()
    return [float(x) for x in p[np.minimum(np.searchsorted(np.cumsum(weight), middle), len(p) - 1)]]


def compute_score(probability: np.ndarray, reference: list[float]) -> np.ndarray:
    """0 to 100 (n,): the share of the reference below each probability, in percent, half of ties.

    `reference` holds the calibrated out-of-time predictions of the last split as quantiles of equal weight.
    """
    points = np.sort(np.array(reference, dtype=np.float64))
    below = np.searchsorted(points, probability, side="left")
    not_above = np.searchsorted(points, probability, side="right")
    return 100.0 * (below + not_above) / 2 / len(points)


def decide_tier(score: np.ndarray, probability: np.ndarray, tiers: Tiers) -> np.ndarray:
    """A, B, C or D (n,) for a score and a probability alone; by capacity, which needs a list, those of the score."""
    measure = probability if tiers.by == "probability" else score
    borders = (measure >= tiers.a, measure >= tiers.b, measure >= tiers.c)
    return np.select(borders, ["A", "B", "C"], default="D")
