"""What fields know together: out-of-fold predictions of trees that are cheap to fit."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np

TREES = 50
TREES_OF_AUDIT: dict[str, Any] = {
    "objective": "binary",
    "deterministic": True,
    "force_col_wise": True,
    "verbose": -1,
    "learning_rate": 0.1,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "num_threads": 1,
    "seed": 1,
}


def predict_out_of_fold(
    values: np.ndarray,
    label: np.ndarray,
    fold: np.ndarray,
    *,
    categories: list[int],
) -> np.ndarray:
    """Log-odds (n,) of each row by trees that were fitted without its fold.

    Args:
        values: (n, fields) numbers, NaN where missing; of text a code.
        label: (n,) 0 or 1.
        fold: (n,) the rows to be left out together.
        categories: which columns hold codes.
    """
    score = np.zeros(len(label))
    for left_out in np.unique(fold):
        held_out = fold == left_out
        rest = ~held_out
        data = lightgbm.Dataset(values[rest], label[rest], categorical_feature=categories)
        trees = lightgbm.train(TREES_OF_AUDIT, data, TREES)
        score[held_out] = trees.predict(values[held_out], raw_score=True, num_threads=1)
    return score
