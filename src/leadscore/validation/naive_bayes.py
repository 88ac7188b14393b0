"""Naive Bayes by stage and attributes, as open-source CRMs score leads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import sigmoid

BINS = 5  # of a number


def predict_naive_bayes(
    seen: Matrix,
    label: np.ndarray,
    weight: np.ndarray,
    asked: Matrix,
    features: Sequence[Feature],
) -> np.ndarray:
    """Win probabilities (n,): how often each value was won and lost, multiplied over the features.

    Of the stage, the attributes (numbers in five bins) and the answers to BANT. One is added to
    every count (Laplace smoothing); a value that is missing or was never seen says nothing.

    Args:
        seen: the features of the rows learned from.
        label: (m,) of these rows.
        weight: (m,) of these rows.
        asked: the features of the rows to predict.
        features: what both hold.
    """
    won = weight * label
    lost = weight * (1 - label)
    total_won = float(weight @ (label == 1.0))
    total_lost = float(weight @ (label == 0.0))
    odds = (total_won + 1) / (total_lost + 1)
    log_odds = np.full(len(asked.keys), np.log(odds))

    for feature in features:
        if not _is_counted(feature.name):
            continue
        old = seen.columns[feature.name]
        new = asked.columns[feature.name]
        if not feature.is_category:
            new = _bin_numbers(new, old)
            old = _bin_numbers(old, old)
        ratio = _log_ratio(old, won, lost)
        added = pd.Series(new).map(ratio).fillna(0.0)
        log_odds += added.to_numpy(dtype=float)
    return sigmoid(log_odds)


def _is_counted(name: str) -> bool:
    """Whether a feature is a stage, an attribute or an answer, not a summary of several."""
    if name.endswith(("_mean", "_answers")) or name == "bant_completeness":
        return False
    return name.startswith(("stage_current", "profile_", "bant_"))


def _log_ratio(values: np.ndarray, won: np.ndarray, lost: np.ndarray) -> pd.Series:
    """log(P(value | won) / P(value | lost)) by value; a missing value has none."""
    rows = pd.DataFrame({"value": values, "won": won, "lost": lost})
    counts = rows.groupby("value", sort=True).sum() + 1
    share_won = counts["won"] / counts["won"].sum()
    share_lost = counts["lost"] / counts["lost"].sum()
    ratio: pd.Series = np.log(share_won) - np.log(share_lost)
    return ratio


def _bin_numbers(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The fifth (n,) of the numbers `among` in which each value lies, None where it is unknown."""
    known = among[~np.isnan(among)]
    edges = known
    if len(known):
        levels = np.linspace(0, 1, BINS + 1)
        inner = levels[1:-1]
        edges = np.unique(np.quantile(known, inner))
    bin_of_value = np.searchsorted(edges, values, side="right")
    bins = bin_of_value.astype(object)
    bins[np.isnan(values)] = None
    return bins
