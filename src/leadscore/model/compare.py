"""Predictions of the same rows compared by log loss, in pairs and over leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet, compute_standard_error, row_log_loss
from leadscore.evaluation.sums import weighted_mean

CLEARLY = 1.96  # standard errors of a paired difference: its 95% interval excludes 0

# The pool that compares -> what it is, in words.
COMPARED_ON = {
    "before": "earlier splits",
    "inner": (
        "history before the last split, cross-validated by lead: the earlier splits lack follow-up "
        "or an outcome"
    ),
}


def row_losses(evaluated: Mapping[str, EvaluationSet]) -> dict[str, np.ndarray]:
    """The log loss (n,) of each row, by the name of what predicted it."""
    losses = {}
    for name, rows in evaluated.items():
        losses[name] = row_log_loss(rows.probability, rows.label)
    return losses


def mean_loss(loss: np.ndarray, rows: EvaluationSet) -> float:
    """The weighted mean of a loss (n,) over the rows."""
    return weighted_mean(loss, rows.weight)


def is_clearly_better(loss: np.ndarray, than: np.ndarray, rows: EvaluationSet) -> bool:
    """Whether a loss (n,) is lower than another by more than chance.

    That is, by more than 1.96 standard errors of the paired difference over leads.
    """
    gain = mean_loss(than - loss, rows)
    error = compute_standard_error(than - loss, rows.weight, rows.units)
    return gain > CLEARLY * error


def choose_simplest(
    kinds: Sequence[str],
    losses: Mapping[str, np.ndarray],
    rows: EvaluationSet,
) -> tuple[str, dict[str, float]]:
    """The first kind within one standard error of the best, and the mean loss of every kind.

    The one-standard-error rule (Breiman et al. 1984), with the standard error of the paired
    difference over leads.

    Args:
        kinds: the simplest first.
        losses: kind -> loss (n,) of each row.
        rows: that were predicted.
    """
    mean = {kind: mean_loss(losses[kind], rows) for kind in kinds}
    best = min(kinds, key=lambda kind: mean[kind])

    def is_as_good(kind: str) -> bool:
        difference = losses[kind] - losses[best]
        error = compute_standard_error(difference, rows.weight, rows.units)
        return mean[kind] - mean[best] <= error

    return next(kind for kind in kinds if is_as_good(kind)), mean
