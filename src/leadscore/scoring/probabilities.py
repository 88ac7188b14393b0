"""The win probabilities of a list of leads, and nothing beside: what a forecast begins with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.features.matrix import build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.intercept.running import shift_at
from leadscore.scoring.features import build_model_features, check_features


def compute_probabilities(
    history: History,
    model: WinModel,
    rows: pd.DataFrame,
    *,
    model_version: str,
    shift: float,
) -> np.ndarray:
    """The win probability (n,) of snapshots, in their order; of open leads, as it is published.

    Args:
        history: where the leads are.
        model: what to score with.
        rows: (n,) snapshots, as `KEYS`.
        model_version: its name, for messages.
        shift: the running intercept (see `compute_shift`).

    Raises:
        UserError: the settings declare other features than the model learned from.
    """
    features = build_model_features(history.settings, model)
    check_features(model, features, model_version=model_version)
    if rows.empty:
        return np.empty(0)
    snapshot = history.snapshot(rows[KEYS])
    matrix = build_matrix(snapshot, features)
    in_order = matrix.take(rows)
    log_odds = model.log_odds(in_order.columns)
    return model.probability(log_odds, shift)


def compute_shift(history: History, model: WinModel, *, known_us: int, as_of_us: int) -> float:
    """The running intercept of a model at a moment; 0 for a model that has none.

    Args:
        history: where the leads are.
        model: the model.
        known_us: up to when it has seen facts.
        as_of_us: the moment.
    """
    times = shift_at(history, model, known_us=known_us, as_of_us=as_of_us)
    return times["shift"] if times else 0.0
