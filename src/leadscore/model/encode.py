"""What is learned from rows before the scorer: category rates and usual times, on the earlier side only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import encode

PRIOR_ROWS = 20.0  # how many rows of the base rate a category's own rows are mixed with
FOLDS = 5


def fold_of_group(groups: np.ndarray, *, folds: int = FOLDS, seed: Sequence[int] = ()) -> np.ndarray:
    """A fold (n,) in [0, folds) for each row, the same for all rows of a group, whatever the order of rows.

    Args:
        groups: (n,) the name of each row's group, as `Matrix.groups` gives them.
        folds: how many.
        seed: deals the groups at random; without it by turns.
    """
    codes, names = pd.factorize(groups, sort=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) if seed else np.arange(len(names))
    return np.asarray(dealt[codes] % folds)


def fit_encoder(
    matrix: Matrix, label: np.ndarray, weight: np.ndarray, features: Sequence[Feature]
) -> list[dict[str, Any]]:
    """An entry for each feature (see `apply.encode`), as JSON.

    Args:
        matrix: n raw rows.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        features: what the columns are.
    """
    encoder: list[dict[str, Any]] = []
    for feature in features:
        if feature.usual_for:
            of, by = feature.usual_for
            usual = _usual(matrix.columns[of], matrix.columns[by])
            encoder.append({"name": feature.name, "kind": "usual", "of": of, "by": by, "usual": usual})
        elif feature.is_category:
            encoder.append(
                {"name": feature.name, "kind": "rate", **_rates(matrix.columns[feature.name], label, weight)}
            )
        else:
            encoder.append({"name": feature.name, "kind": "number"})
    return encoder


def encode_training(matrix: Matrix, label: np.ndarray, weight: np.ndarray, features: Sequence[Feature]) -> np.ndarray:
    """The matrix (n, features) for the rows that train the scorer, category rates out of fold by lead (see `groups`).

    In sample a rate would already contain the row's own label: a meaningless category with many levels would look
    like the best of features.
    """
    encoded = encode(fit_encoder(matrix, label, weight, features), matrix.columns)
    fold = fold_of_group(matrix.groups())
    for at, feature in enumerate(features):
        if not feature.is_category:
            continue
        values = matrix.columns[feature.name]
        for k in range(FOLDS):
            out, within = fold == k, fold != k
            entry = {
                "name": feature.name,
                "kind": "rate",
                **_rates(values[within], label[within], weight[within]),
            }
            encoded[out, at] = encode([entry], {feature.name: values[out]})[:, 0]
    return encoded


def _rates(values: np.ndarray, label: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    """Log-odds of winning by category, each mixed with `PRIOR_ROWS` rows of the base rate."""
    total = weight.sum()
    base = float(np.clip((weight * label).sum() / total, 1e-6, 1 - 1e-6)) if total > 0 else 0.5
    frame = pd.DataFrame({"value": values, "n": weight, "won": weight * label})
    sums = frame.groupby("value", dropna=False, sort=True).sum()
    rate = (sums["won"] + PRIOR_ROWS * base) / (sums["n"] + PRIOR_ROWS)
    odds = {value: float(x) for value, x in zip(sums.index, np.log(rate / (1 - rate)), strict=True)}
    other = float(np.log(base / (1 - base)))
    known = {str(value): x for value, x in odds.items() if not pd.isna(value)}
    missing = [x for value, x in odds.items() if pd.isna(value)]
    return {"rates": known, "missing": missing[0] if missing else other, "other": other}


def _usual(values: np.ndarray, categories: np.ndarray) -> dict[str, float]:
    """The median by category, where it is above 0."""
    medians = pd.Series(values).groupby(pd.Series(categories), sort=True).median()
    return {str(category): float(x) for category, x in medians.items() if x > 0}
