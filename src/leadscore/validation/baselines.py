"""What a model must be better than, learned from the same rows: what others use, and what costs nothing.

`base_rate`, `stage_only`, the `scorecard` of the settings, `logistic` regression on one-hot categories, `lightgbm` with
its defaults and native categories, scikit-learn's `hist_gradient_boosting` with native categories, slower steps and
early stopping, as a practitioner would set it, and a `naive_bayes` by stage and attributes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.labels import Side
from leadscore.model.apply import encode, sigmoid
from leadscore.model.encode import encode_training, fit_encoder
from leadscore.model.fit import fit_scorer
from leadscore.model.threads import one_thread
from leadscore.settings.scorecard import Scorecard

BINS = 5  # of a number, for naive Bayes
LEAST_ROWS = 10  # of a category's level; rarer ones count as unknown
MOST_LEVELS = 250  # that the libraries' trees can tell apart


def predict_baselines(
    matrix: Matrix,
    side: Side,
    rows: pd.DataFrame,
    features: Sequence[Feature],
    *,
    scorecard: Scorecard,
) -> dict[str, np.ndarray]:
    """Probabilities (n,) of `rows` by each yardstick, learned from one side; `matrix` has the features of both."""
    seen_rows = side.rows[side.observed]
    seen, asked = matrix.take(seen_rows), matrix.take(rows)
    label, weight = seen_rows["label"].to_numpy(), seen_rows["weight"].to_numpy()
    encoder = fit_encoder(seen, label, weight, features)
    found = {"base_rate": np.full(len(rows), side.base_rate())}
    stage = [entry for entry in encoder if entry["name"] == "stage_current"]
    if stage:
        found["stage_only"] = sigmoid(encode(stage, asked.columns)[:, 0])
    card = fit_scorer(
        matrix,
        side.rows.iloc[:0],
        kind="scorecard",
        features=features,
        scorecard=scorecard,
        seed=0,
        threads=1,
    )
    found["scorecard"] = card.probability(card.log_odds(asked.columns))
    tables = _Tables.of(seen, asked, label, weight, features)
    with one_thread():  # sums of several threads differ in the last bits
        found["logistic"] = _fit_logistic(tables, label, weight).predict_proba(tables.asked)[:, 1]
        forest = HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=400,
            max_leaf_nodes=15,
            min_samples_leaf=50,
            l2_regularization=1.0,
            early_stopping=True,
            validation_fraction=0.15,
            categorical_features=tables.is_category,
            random_state=0,
        ).fit(tables.seen, label, weight)
        found["hist_gradient_boosting"] = forest.predict_proba(tables.asked)[:, 1]
    categories = np.flatnonzero(tables.is_category).tolist()
    trees = lightgbm.train(
        {
            "objective": "binary",
            "verbose": -1,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": 1,
        },
        lightgbm.Dataset(tables.seen, label, weight=weight, categorical_feature=categories),
    )
    found["lightgbm"] = np.asarray(trees.predict(tables.asked))
    found["naive_bayes"] = predict_naive_bayes(seen, label, weight, asked, features)
    return found


@dataclass(frozen=True)
class _Tables:
    """Features of the rows learned from and of those asked about, (n, k) and (m, k), and which (k,) are categories.

    A category's common levels are numbered, the most frequent first; all others are unknown.
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
        """The features that are known of some row learned from; what the encoder makes of rows is one of them."""
        learned = encode_training(seen, label, weight, features)
        given = encode(fit_encoder(seen, label, weight, features), asked.columns)
        for at, feature in enumerate(features):
            if feature.is_category:
                levels = _levels(seen.columns[feature.name])
                learned[:, at] = _numbers(seen.columns[feature.name], levels)
                given[:, at] = _numbers(asked.columns[feature.name], levels)
        known = np.isfinite(learned).any(axis=0)
        is_category = np.array([feature.is_category for feature in features])
        return cls(learned[:, known], given[:, known], is_category[known])


def _levels(values: np.ndarray) -> dict[str, int]:
    counts = Counter(value for value in values if value is not None)
    common = [
        level
        for level, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        if n >= LEAST_ROWS
    ]
    return {level: place for place, level in enumerate(common[:MOST_LEVELS])}


def _numbers(values: np.ndarray, levels: dict[str, int]) -> np.ndarray:
    return np.array([levels.get(value, np.nan) for value in values], dtype=float)


def _fit_logistic(tables: _Tables, label: np.ndarray, weight: np.ndarray) -> LogisticRegression:
    numbers = make_pipeline(
        FunctionTransformer(_compress), SimpleImputer(strategy="median"), StandardScaler()
    )
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [("numbers", numbers, ~tables.is_category), ("categories", one_hot, tables.is_category)]
    )
    model = make_pipeline(columns, LogisticRegression(C=0.05, max_iter=2000))
    return model.fit(tables.seen, label, logisticregression__sample_weight=weight)


def _binned(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The fifth (n,) of the numbers `among` in which each value lies, None where it is unknown."""
    known = among[~np.isnan(among)]
    edges = (
        np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known
    )
    bins = np.searchsorted(edges, values, side="right").astype(object)
    bins[np.isnan(values)] = None
    return bins


def _compress(x: np.ndarray) -> np.ndarray:
    """Counts, days and amounts have long tails that would rule a linear model."""
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))


def predict_naive_bayes(
    seen: Matrix, label: np.ndarray, weight: np.ndarray, asked: Matrix, features: Sequence[Feature]
) -> np.ndarray:
    """Probabilities (n,) as open-source CRMs compute them: how often each value was won and lost, multiplied.

    Of the stage, the attributes (numbers in five bins) and the answers to BANT; one is added to each count, and a value
    that is missing or was never seen says nothing.
    """
    total = [float(weight @ (label == y)) for y in (1.0, 0.0)]
    odds = np.full(len(asked.keys), np.log((total[0] + 1) / (total[1] + 1)))
    for feature in features:
        if not feature.name.startswith(("stage_current", "profile_", "bant_")):
            continue
        if feature.name.endswith(("_mean", "_answers")) or feature.name == "bant_completeness":
            continue
        old, new = seen.columns[feature.name], asked.columns[feature.name]
        if not feature.is_category:
            old, new = _binned(old, old), _binned(new, old)
        counts = pd.DataFrame({"value": old, "won": weight * label, "lost": weight * (1 - label)})
        counts = counts.groupby("value", sort=True).sum() + 1  # a missing value is no group
        ratio = np.log(counts["won"] / counts["won"].sum()) - np.log(
            counts["lost"] / counts["lost"].sum()
        )
        odds += pd.Series(new).map(ratio).fillna(0.0).to_numpy(dtype=float)
    return sigmoid(odds)
