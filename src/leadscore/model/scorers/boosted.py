"""Boosted trees by LightGBM, with the directions that the features declare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from leadscore.features.feature import Feature

THREADED_ROWS = 200_000  # with fewer, threads wait for each other longer than they work; on a busy machine much longer
LEAST_FEATURES = 8  # that a tree may choose from: with one or two of few it could not hold what they tell together
LIGHTGBM: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "deterministic": True,
    "force_col_wise": True,  # else LightGBM times two ways of summing and takes the faster one
    "verbose": -1,
}


@dataclass(frozen=True)
class Boosting:
    """How many trees of how many leaves, and how far they are held back.

    `feature_share` is the share of the features that a tree may choose from, but never fewer than `LEAST_FEATURES`.
    """

    trees: int = 300
    leaves: int = 5
    l2: float = 10.0
    feature_share: float = 0.3

    def splits(self) -> int:
        """The size of the model: in how many places it asks something."""
        return self.trees * (self.leaves - 1)


def fit_boosted(
    encoded: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    features: Sequence[Feature],
    levels: Sequence[Mapping[str, Any]] = (),
    boosting: Boosting,
    seed: int,
    threads: int,
) -> str:
    """The trees, as LightGBM writes them.

    Args:
        encoded: (n, features + levels), as `encode_training` and `apply.add_codes` give it.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        features: what the first columns are.
        levels: what the last ones are: codes of categories, as `fit_levels` gives them.
        boosting: what may be tuned.
        seed: of the choice of features for each tree.
        threads: used by LightGBM; the result does not depend on it.
    """
    names = [feature.name for feature in features] + [f"{entry['name']}_level" for entry in levels]
    codes = list(range(len(features), len(names)))
    data = lightgbm.Dataset(
        encoded, label, weight=weight, feature_name=names, categorical_feature=codes
    )
    params = LIGHTGBM | {
        "num_leaves": boosting.leaves,
        "lambda_l2": boosting.l2,
        "feature_fraction": max(boosting.feature_share, _least_share(encoded)),
        "monotone_constraints": [feature.direction for feature in features] + [0] * len(codes),
        "min_data_in_leaf": int(np.clip(len(label) // 50, 5, 100)),
        "seed": seed % 2**31,
        "num_threads": threads if len(label) >= THREADED_ROWS else 1,
    }
    text = lightgbm.train(params, data, boosting.trees).model_to_string()
    return re.sub(r"\[num_threads: \d+\]\n", "", text)  # the model does not depend on it


def _least_share(encoded: np.ndarray) -> float:
    """`LEAST_FEATURES` as a share of the columns of (n, features) that vary: of others LightGBM draws none."""
    first = encoded[:1]
    is_same = (encoded == first) | (np.isnan(encoded) & np.isnan(first))
    varying = int((~is_same.all(axis=0)).sum())
    return min(1.0, LEAST_FEATURES / max(varying, 1))
