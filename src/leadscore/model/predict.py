"""Predictions of as many rows as a training has, without a second matrix of them all."""

from __future__ import annotations

import numpy as np

from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel

AT_ONCE = 25_000  # rows that are encoded and predicted at a time


def predict_log_odds(model: WinModel, matrix: Matrix) -> np.ndarray:
    """Uncalibrated log-odds (n,) of all rows of a matrix."""
    rows = len(matrix.keys)
    log_odds = np.empty(rows)
    for begin in range(0, rows, AT_ONCE):
        end = min(begin + AT_ONCE, rows)
        at = np.arange(begin, end)
        log_odds[at] = model.log_odds(matrix.rows(at).columns)
    return log_odds
