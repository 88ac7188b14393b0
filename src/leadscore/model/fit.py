"""Fits a scorer on one side of history: encoder and LightGBM, with the directions that the features declare."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.labels import Side
from leadscore.model.apply import FORMAT, WinModel
from leadscore.model.encode import encode_training, fit_encoder, fold_of_group

TREES = 300
THREADED_ROWS = 50_000  # with fewer, threads wait for each other longer than they work
UNCALIBRATED: dict[str, Any] = {"kind": "none", "low": 1e-9, "high": 1 - 1e-9}
LIGHTGBM: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 5,
    "lambda_l2": 10.0,
    "feature_fraction": 0.3,
    "deterministic": True,
    "force_col_wise": True,  # else LightGBM times two ways of summing and takes the faster one
    "verbose": -1,
}


def fit_scorer(matrix: Matrix, rows: pd.DataFrame, *, features: Sequence[Feature], seed: int, threads: int) -> WinModel:
    """An uncalibrated model.

    Args:
        matrix: has the features of all `rows`.
        rows: snapshots with label and weight; censored ones (label NaN) are left out.
        features: what the matrix holds.
        seed: of the choice of features for each tree.
        threads: used by LightGBM; the result does not depend on it.
    """
    rows = rows[rows["label"].notna()]
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    seen = matrix.take(rows)
    names = [feature.name for feature in features]
    data = lightgbm.Dataset(encode_training(seen, label, weight, features), label, weight=weight, feature_name=names)
    params = LIGHTGBM | {
        "monotone_constraints": [feature.direction for feature in features],
        "min_data_in_leaf": int(np.clip(len(rows) // 50, 5, 100)),
        "seed": seed % 2**31,
        "num_threads": threads if len(rows) >= THREADED_ROWS else 1,
    }
    document = {
        "format": FORMAT,
        "features": [
            {"name": f.name, "category": f.is_category, "direction": f.direction, "fingerprint": f.fingerprint()}
            for f in features
        ],
        "encoder": fit_encoder(seen, label, weight, features),
        "calibrator": UNCALIBRATED,
    }
    text = lightgbm.train(params, data, TREES).model_to_string()
    return WinModel(document, re.sub(r"\[num_threads: \d+\]\n", "", text))  # the model does not depend on it


def cross_validate(
    matrix: Matrix, side: Side, fit: Callable[[pd.DataFrame], WinModel], *, seed: Sequence[int] = ()
) -> np.ndarray:
    """Raw log-odds (n,) of a side's rows, each by a model, made by `fit`, that saw no row of its group.

    Groups are leads, or equal rows (see `Matrix.groups`), dealt to folds by turns, or at random with a `seed`.
    """
    fold = fold_of_group(matrix.take(side.rows).groups(), seed=seed)
    raw = np.zeros(len(side.rows))
    for k in np.unique(fold):
        raw[fold == k] = fit(side.rows[fold != k]).raw(matrix.take(side.rows[fold == k]).columns)
    return raw
