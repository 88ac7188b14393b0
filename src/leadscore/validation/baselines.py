"""Baselines that a model must beat, learned from the same rows: what others use, and what is free.

* `base_rate`: the same probability for everybody,
* `stage_only`: the win rate of the stage,
* `scorecard`: the points of the settings,
* `logistic`: logistic regression on one-hot categories,
* `hist_gradient_boosting`: scikit-learn's trees with native categories, slow steps and early
  stopping, as a practitioner would set them,
* `lightgbm`: LightGBM's defaults with native categories,
* `naive_bayes`: see `naive_bayes.py`.

`MORE` takes others, of libraries that are not among our own, for a comparison.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.model.apply import encode, sigmoid
from leadscore.model.encode import TrainingColumns, fit_encoder
from leadscore.model.fit import fit_scorer
from leadscore.model.threads import one_thread
from leadscore.settings.scorecard import Scorecard
from leadscore.validation.naive_bayes import predict_naive_bayes

LEAST_ROWS = 10  # of a category's level; rarer ones count as unknown
MOST_LEVELS = 250  # that the libraries' trees can tell apart
LIGHTGBM = {
    "objective": "binary",
    "verbose": -1,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
}


@dataclass(frozen=True)
class PeerTask:
    """What a peer from elsewhere learns from, and what it predicts.

    Attributes:
        seen: (m, k) of the rows learned from, NaN where unknown; categories are numbered.
        label: (m,) 0 or 1.
        weight: (m,) not negative.
        time: (m,) rises with time; all 0 where nothing is dated.
        asked: (n, k) of the rows to predict.
        is_category: (k,) which columns are categories.
    """

    seen: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    time: np.ndarray
    asked: np.ndarray
    is_category: np.ndarray


MORE: dict[str, Callable[[PeerTask], np.ndarray]] = {}  # name -> its probabilities (n,)


def predict_baselines(
    matrix: Matrix,
    side: Side,
    rows: pd.DataFrame,
    features: Sequence[Feature],
    *,
    scorecard: Scorecard,
) -> dict[str, np.ndarray]:
    """Win probabilities (n,) of some rows by each baseline, learned from a side.

    Args:
        matrix: has the features of both.
        side: what they learn from.
        rows: what they predict.
        features: what the matrix holds.
        scorecard: the points of the settings.
    """
    seen_rows = side.rows[side.observed]
    seen = matrix.take(seen_rows)
    asked = matrix.take(rows)
    label = seen_rows["label"].to_numpy()
    weight = seen_rows["weight"].to_numpy()

    predictions = {"base_rate": np.full(len(rows), side.base_rate())}
    encoder = fit_encoder(seen, label, weight, features)
    predictions |= _predict_stage(encoder, asked)
    predictions["scorecard"] = _predict_scorecard(matrix, side, asked, features, scorecard)

    tables = _Tables.of(seen, asked, label, weight, features)
    with one_thread():  # sums of several threads differ in the last bits
        logistic = _fit_logistic(tables, label, weight)
        predictions["logistic"] = logistic.predict_proba(tables.asked)[:, 1]
        trees = _fit_trees(tables, label, weight)
        predictions["hist_gradient_boosting"] = trees.predict_proba(tables.asked)[:, 1]
    predictions["lightgbm"] = _predict_lightgbm(tables, label, weight)
    predictions["naive_bayes"] = predict_naive_bayes(seen, label, weight, asked, features)
    time = seen_rows["as_of_us"].to_numpy()
    task = PeerTask(tables.seen, label, weight, time, tables.asked, tables.is_category)
    peers = {name: predict(task) for name, predict in MORE.items()}
    return predictions | peers


def _predict_stage(encoder: list[dict[str, Any]], asked: Matrix) -> dict[str, np.ndarray]:
    """Probabilities (n,) by the stage alone; nothing without stages."""
    stage = [entry for entry in encoder if entry["name"] == "stage_current"]
    if not stage:
        return {}
    of_stage = encode(stage, asked.columns)[:, 0]
    return {"stage_only": sigmoid(of_stage)}


def _predict_scorecard(
    matrix: Matrix,
    side: Side,
    asked: Matrix,
    features: Sequence[Feature],
    scorecard: Scorecard,
) -> np.ndarray:
    card = fit_scorer(
        matrix,
        side.rows.iloc[:0],
        kind="scorecard",
        features=features,
        scorecard=scorecard,
        seed=0,
        threads=1,
    )
    return card.probability(card.log_odds(asked.columns))


@dataclass(frozen=True)
class _Tables:
    """Features as numbers for the libraries.

    A category's common levels are numbered, the most frequent first; all others are unknown.

    Attributes:
        seen: (m, k) of the rows learned from.
        asked: (n, k) of the rows to predict.
        is_category: (k,) which columns are categories.
    """

    seen: np.ndarray
    asked: np.ndarray
    is_category: np.ndarray

    @classmethod
    def of(
        cls,
        seen: Matrix,
        asked: Matrix,
        label: np.ndarray,
        weight: np.ndarray,
        features: Sequence[Feature],
    ) -> _Tables:
        """The features that are known of some row learned from, numbers as our encoder has them."""
        columns = TrainingColumns.of(seen, label, weight, features)
        learned = columns.stack()
        given = encode(columns.encoder, asked.columns)
        for at, feature in enumerate(features):
            if feature.is_category:
                levels = _number_levels(seen.columns[feature.name])
                seen_values = seen.columns[feature.name]
                learned[:, at] = _as_numbers(seen_values, levels)
                asked_values = asked.columns[feature.name]
                given[:, at] = _as_numbers(asked_values, levels)
        is_known = np.isfinite(learned).any(axis=0)
        is_category = np.array([feature.is_category for feature in features])
        return cls(learned[:, is_known], given[:, is_known], is_category[is_known])


def _number_levels(values: np.ndarray) -> dict[str, int]:
    """The common levels of a category with their numbers, the most frequent first."""
    counts = Counter(value for value in values if value is not None)
    common = [level for level, rows in counts.items() if rows >= LEAST_ROWS]
    common.sort(key=lambda level: (-counts[level], level))
    used = common[:MOST_LEVELS]
    return {level: number for number, level in enumerate(used)}


def _as_numbers(values: np.ndarray, levels: dict[str, int]) -> np.ndarray:
    numbers = [levels.get(value, np.nan) for value in values]
    return np.array(numbers, dtype=float)


def _fit_logistic(tables: _Tables, label: np.ndarray, weight: np.ndarray) -> Pipeline:
    numbers = make_pipeline(
        FunctionTransformer(_compress), SimpleImputer(strategy="median"), StandardScaler()
    )
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [
            ("numbers", numbers, ~tables.is_category),
            ("categories", one_hot, tables.is_category),
        ]
    )
    model = make_pipeline(columns, LogisticRegression(C=0.05, max_iter=2000))
    return model.fit(tables.seen, label, logisticregression__sample_weight=weight)


def _compress(x: np.ndarray) -> np.ndarray:
    """Counts, days and amounts have long tails that would rule a linear model."""
    size = np.log1p(np.abs(x))
    return np.asarray(np.sign(x) * size)


def _fit_trees(
    tables: _Tables,
    label: np.ndarray,
    weight: np.ndarray,
) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=400,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        l2_regularization=1.0,
        early_stopping=True,
        validation_fraction=0.15,
        categorical_features=tables.is_category,
        random_state=0,
    )
    return model.fit(tables.seen, label, weight)


def _predict_lightgbm(
    tables: _Tables,
    label: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    categories = np.flatnonzero(tables.is_category).tolist()
    rows = lightgbm.Dataset(tables.seen, label, weight=weight, categorical_feature=categories)
    trees = lightgbm.train(dict(LIGHTGBM), rows)
    return np.asarray(trees.predict(tables.asked))
