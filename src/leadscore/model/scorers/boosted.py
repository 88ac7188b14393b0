"""Boosted trees by LightGBM, monotone in the directions that the features declare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import lightgbm
import numpy as np

from leadscore.features.feature import Feature

THREADED_ROWS = 200_000  # with fewer, threads wait for each other longer than they work
AT_ONCE = 25_000  # rows that are compared with the first at a time
LEAST_FEATURES = 8  # per tree; with one or two of few it cannot learn what they say together
LIGHTGBM: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "deterministic": True,
    "force_col_wise": True,  # else LightGBM times two ways of summing and takes the faster one
    "verbose": -1,
}


@dataclass(frozen=True)
class Boosting:
    """Size and regularisation of the trees.

    Attributes:
        trees: how many.
        leaves: of a tree.
        l2: penalty on the leaves' values.
        feature_share: of the features that a tree may choose from, at least `LEAST_FEATURES`.
    """

    trees: int = 300
    leaves: int = 5
    l2: float = 10.0
    feature_share: float = 0.3

    def splits(self) -> int:
        """The number of splits in all trees: the size of the model."""
        return self.trees * (self.leaves - 1)


@dataclass(frozen=True)
class TreeRows:
    """Rows as LightGBM bins them, once for trees of any size.

    Attributes:
        data: the binned rows.
        count: how many they are.
        directions: of each column, as LightGBM's monotone constraints.
        least_share: the smallest share of the columns that a tree chooses from.
    """

    data: lightgbm.Dataset
    count: int
    directions: list[int]
    least_share: float

    @classmethod
    def of(
        cls,
        encoded: np.ndarray,
        label: np.ndarray,
        weight: np.ndarray,
        *,
        features: Sequence[Feature],
        levels: Sequence[Mapping[str, Any]] = (),
    ) -> Self:
        """The rows to learn from.

        Args:
            encoded: (n, features + levels), as `TrainingColumns.stack` gives it.
            label: (n,) 0 or 1.
            weight: (n,) not negative.
            features: what the first columns are.
            levels: what the last ones are: codes of categories, as `fit_levels` gives them.
        """
        names = [feature.name for feature in features]
        names += [f"{entry['name']}_level" for entry in levels]
        data = lightgbm.Dataset(
            encoded,
            label,
            weight=weight,
            feature_name=names,
            categorical_feature=list(range(len(features), len(names))),
        )
        directions = [feature.direction for feature in features]
        return cls(
            data=data,
            count=len(label),
            directions=directions + [0] * len(levels),
            least_share=least_share_of(encoded),
        )

    def fit(self, boosting: Boosting, *, seed: int, threads: int) -> str:
        """The trees, as LightGBM writes them.

        Args:
            boosting: size and regularisation.
            seed: of the choice of features for each tree.
            threads: used by LightGBM; the result does not depend on it.
        """
        params = self._parameters(boosting) | {
            "monotone_constraints": self.directions,
            "seed": seed % 2**31,
            "num_threads": threads if self.count >= THREADED_ROWS else 1,
        }
        text = lightgbm.train(params, self.data, boosting.trees).model_to_string()
        return re.sub(r"\[num_threads: \d+\]\n", "", text)  # the model does not depend on it

    def _parameters(self, boosting: Boosting) -> dict[str, Any]:
        """LightGBM's parameters for trees of a size."""
        rows_in_leaf = np.clip(self.count // 50, 5, 100)
        return LIGHTGBM | {
            "num_leaves": boosting.leaves,
            "lambda_l2": boosting.l2,
            "feature_fraction": max(boosting.feature_share, self.least_share),
            "min_data_in_leaf": int(rows_in_leaf),
        }


def least_share_of(encoded: np.ndarray) -> float:
    """`LEAST_FEATURES` as a share of the columns that vary: LightGBM draws no others."""
    first = encoded[:1]
    is_constant = np.ones(encoded.shape[1], dtype=bool)
    for begin in range(0, len(encoded), AT_ONCE):
        rows = encoded[begin : begin + AT_ONCE]
        both_unknown = np.isnan(rows) & np.isnan(first)
        is_same = (rows == first) | both_unknown
        is_constant &= is_same.all(axis=0)
    varying = int((~is_constant).sum())
    return min(1.0, LEAST_FEATURES / max(varying, 1))
