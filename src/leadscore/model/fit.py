"""Fits a scorer: the scorecard, logistic regression, boosted trees, or the average of both."""

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

SCORERS = ("scorecard", "logistic", "boosted", "average")  # simplest first
SCORECARD = Scorecard()
BOOSTING = Boosting()
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
        rows: snapshots with label and weight; censored ones (label NaN) are left out, and a
            "scorecard" reads none.
        kind: one of `SCORERS`.
        features: what the matrix holds.
        scorecard: the points of "scorecard", toward which "logistic" is shrunk.
        boosting: size and regularisation of the trees of "boosted" and "average".
        linear: how the logistic regression of "logistic" and "average" is fitted; None to choose
            by cross-validation within the rows.
        seed: of what is random in the trees.
        threads: used by the trees; the result does not depend on it.

    Raises:
        ValueError: the kind is unknown.
    """
    if kind not in SCORERS:
        raise ValueError(f"unknown scorer {kind!r}, known are {SCORERS}")

    rows = rows[rows["label"].notna()]
    if kind == "scorecard":
        rows = rows.iloc[:0]
    label = rows["label"].to_numpy(dtype=float)
    weight = rows["weight"].to_numpy(dtype=float)
    seen = matrix.take(rows)

    document: dict[str, Any] = {
        "format": FORMAT,
        "features": [_describe_feature(feature) for feature in features],
        "encoder": fit_encoder(seen, label, weight, features),
        "calibrator": UNCALIBRATED,
    }
    if kind == "scorecard":
        return WinModel(document | {"scorer": build_scorecard(features, scorecard)})

    encoded = encode_training(seen, label, weight, features)
    scorer: dict[str, Any] = {"kind": kind}
    if kind != "boosted":
        if linear is None:
            pairs = pairs_within(matrix, rows)
            linear = choose_linear(matrix, pairs, features=features, scorecard=scorecard)
        scorer |= linear.as_json()
        regression = fit_linear(
            seen, encoded, label, weight, linear=linear, features=features, scorecard=scorecard
        )
    if kind == "logistic":
        return WinModel(document | {"scorer": scorer | regression})
    if kind == "average":
        scorer["linear"] = regression

    levels = fit_levels(seen, features)
    booster_text = fit_boosted(
        add_codes(levels, encoded, seen.columns),
        label,
        weight,
        features=features,
        levels=levels,
        boosting=boosting,
        seed=seed,
        threads=threads,
    )
    return WinModel(
        document | {"levels": levels, "scorer": scorer | asdict(boosting)}, booster_text
    )


def _describe_feature(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "category": feature.is_category,
        "direction": feature.direction,
        "fingerprint": feature.fingerprint(),
    }


def cross_validate(
    matrix: Matrix,
    side: Side,
    fit: Callable[[pd.DataFrame], WinModel],
    *,
    seed: Sequence[int] = (),
    done: Callable[[], None] = lambda: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Out-of-fold log-odds (n,) of a side's rows, and their folds (n,).

    Args:
        matrix: has the features of all rows.
        side: the rows. Groups, which no fold tears apart, are leads or equal rows (see
            `Matrix.groups`).
        fit: makes a model from the rows of the other folds.
        seed: deals the groups to folds at random; without it in turn.
        done: called after each fold.
    """
    groups = matrix.take(side.rows).groups()
    fold = fold_of_group(groups, seed=seed)
    log_odds = np.zeros(len(side.rows))
    for k in np.unique(fold):
        inside = fold == k
        model = fit(side.rows[~inside])
        held_out = matrix.take(side.rows[inside])
        log_odds[inside] = model.log_odds(held_out.columns)
        done()
    return log_odds, fold
