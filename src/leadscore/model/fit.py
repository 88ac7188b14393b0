"""Fits a scorer of any kind on one side of history: the scorecard, logistic regression or boosted trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.labels import Side
from leadscore.model.apply import FORMAT, WinModel, add_codes
from leadscore.model.encode import encode_training, fit_encoder, fit_levels, fold_of_group
from leadscore.model.scorers.boosted import Boosting, fit_boosted
from leadscore.model.scorers.linear_choice import Linear, choose_linear, fit_linear, pairs_within
from leadscore.model.scorers.scorecard import build_scorecard
from leadscore.settings.scorecard import Scorecard

SCORERS = ("scorecard", "logistic", "boosted", "average")  # from the simplest on
SCORECARD, BOOSTING = Scorecard(), Boosting()
UNCALIBRATED: dict[str, Any] = {"kind": "none", "low": 1e-9, "high": 1 - 1e-9}


def fit_scorer(
    matrix: Matrix,
    rows: pd.DataFrame,
    *,
    kind: str = "boosted",
    features: Sequence[Feature],
    scorecard: Scorecard = SCORECARD,
    boosting: Boosting = BOOSTING,
    linear: Linear | None = None,
    seed: int,
    threads: int,
) -> WinModel:
    """An uncalibrated model.

    Args:
        matrix: has the features of all `rows`.
        rows: snapshots with label and weight; censored ones (label NaN) are left out, "scorecard" reads none.
        kind: one of `SCORERS`.
        features: what the matrix holds.
        scorecard: the points of "scorecard", toward which "logistic" is shrunk.
        boosting: how the trees of "boosted" and "average" are fitted.
        linear: how the logistic regression of "logistic" and "average" is fitted; None to choose it by
            cross-validation within the rows.
        seed: of what is random in the trees.
        threads: used by the trees; the result does not depend on it.
    """
    if kind not in SCORERS:
        raise ValueError(f"unknown scorer {kind!r}, known are {SCORERS}")
    rows = rows[rows["label"].notna()].iloc[: 0 if kind == "scorecard" else None]
    label, weight = rows["label"].to_numpy(dtype=float), rows["weight"].to_numpy(dtype=float)
    seen = matrix.take(rows)
    document = {
        "format": FORMAT,
        "features": [
            {
                "name": f.name,
                "category": f.is_category,
                "direction": f.direction,
                "fingerprint": f.fingerprint(),
            }
            for f in features
        ],
        "encoder": fit_encoder(seen, label, weight, features),
        "calibrator": UNCALIBRATED,
    }
    if kind == "scorecard":
        return WinModel(document | {"scorer": build_scorecard(features, scorecard)})
    encoded = encode_training(seen, label, weight, features)
    half: dict[str, Any] = {}
    if kind in {"logistic", "average"}:
        way = linear or choose_linear(
            matrix, pairs_within(matrix, rows), features=features, scorecard=scorecard
        )
        half = fit_linear(
            seen, encoded, label, weight, linear=way, features=features, scorecard=scorecard
        )
    if kind == "logistic":
        return WinModel(document | {"scorer": half | asdict(way)})
    levels = fit_levels(seen, features)
    text = fit_boosted(
        add_codes(levels, encoded, seen.columns),
        label,
        weight,
        features=features,
        levels=levels,
        boosting=boosting,
        seed=seed,
        threads=threads,
    )
    scorer = {"kind": kind, **asdict(boosting)}
    if kind == "average":
        scorer |= {"linear": half, **asdict(way)}
    return WinModel(document | {"levels": levels, "scorer": scorer}, text)


def cross_validate(
    matrix: Matrix,
    side: Side,
    fit: Callable[[pd.DataFrame], WinModel],
    *,
    seed: Sequence[int] = (),
    done: Callable[[], None] = lambda: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Raw log-odds (n,) of a side's rows, each by a model, made by `fit`, that saw no row of its group; and folds (n,).

    Groups are leads, or equal rows (see `Matrix.groups`), dealt to folds by turns, or at random with a `seed`.
    `done` is called after each fold.
    """
    fold = fold_of_group(matrix.take(side.rows).groups(), seed=seed)
    log_odds = np.zeros(len(side.rows))
    for k in np.unique(fold):
        log_odds[fold == k] = fit(side.rows[fold != k]).log_odds(
            matrix.take(side.rows[fold == k]).columns
        )
        done()
    return log_odds, fold
