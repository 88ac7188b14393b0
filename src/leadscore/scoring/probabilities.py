"""The win probabilities of a list of leads, and nothing beside: what a forecast begins with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.features.matrix import build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import Columns, WinModel
from leadscore.model.intercept.running import shift_at
from leadscore.model.pace.pace import Pace, predict_pace
from leadscore.scoring.features import build_model_features, check_features


@dataclass(frozen=True)
class Prospects:
    """The win probability (n,) of leads, and how each is spread over the horizon."""

    probability: np.ndarray
    pace: Pace


def predict_prospects(
    model: WinModel,
    columns: Columns,
    *,
    shift: float,
    horizon_days: float,
) -> Prospects:
    """The prospects of leads (n,) by their features, with the running intercept `shift`."""
    log_odds = model.log_odds(columns)
    return Prospects(
        probability=model.probability(log_odds, shift),
        pace=predict_pace(model, columns, horizon_days=horizon_days),
    )


def compute_prospects(
    history: History,
    model: WinModel,
    rows: pd.DataFrame,
    *,
    model_version: str,
    shift: float,
) -> Prospects:
    """The prospects of open leads, in their order (see `compute_probabilities`)."""
    horizon_days = history.settings.target.horizon_days
    columns = _read_columns(history, model, rows, model_version=model_version)
    if rows.empty:
        return Prospects(np.empty(0), Pace.unknown(0, horizon_days=horizon_days))
    return predict_prospects(model, columns, shift=shift, horizon_days=horizon_days)


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
    columns = _read_columns(history, model, rows, model_version=model_version)
    if rows.empty:
        return np.empty(0)
    log_odds = model.log_odds(columns)
    return model.probability(log_odds, shift)


def _read_columns(
    history: History,
    model: WinModel,
    rows: pd.DataFrame,
    *,
    model_version: str,
) -> Columns:
    """The features (n,) of snapshots that the model learned from; none where there are no rows."""
    features = build_model_features(history.settings, model)
    check_features(model, features, model_version=model_version)
    if rows.empty:
        return {}
    snapshot = history.snapshot(rows[KEYS])
    return build_matrix(snapshot, features).take(rows).columns


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
