"""Score and tier: where a lead stands among those that the model was judged on."""

from __future__ import annotations

import numpy as np

from leadscore.sections import Tiers


def compute_score(probability: np.ndarray, reference: list[float]) -> np.ndarray:
    """0 to 100 (n,): the share of the reference below each probability, in percent, half of ties.

    `reference` holds the calibrated out-of-time predictions of the last split as quantiles of equal weight.
    """
    points = np.sort(np.array(reference, dtype=np.float64))
    below = np.searchsorted(points, probability, side="left")
    not_above = np.searchsorted(points, probability, side="right")
    return 100.0 * (below + not_above) / 2 / len(points)


def decide_tier(score: np.ndarray, tiers: Tiers) -> np.ndarray:
    """A, B, C or D for each score (n,)."""
    return np.select([score >= tiers.a, score >= tiers.b, score >= tiers.c], ["A", "B", "C"], default="D")
