"""What a model must be better than, learned from the same rows: what others use, and what costs nothing.

`base_rate`, `stage_only`, the `scorecard` of the settings, plain `logistic` regression, `lightgbm` and
`hist_gradient_boosting` (scikit-learn) with their defaults, and a `naive_bayes` by stage and attributes.
"""

from __future__ import annotations

from collections.abc import Sequence

import lightgbm
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.labels import Side
from leadscore.model.apply import encode, sigmoid
from leadscore.model.encode import encode_training, fit_encoder
from leadscore.model.fit import fit_scorer
from leadscore.sections import Scorecard

BINS = 5  # of a number, for naive Bayes


def predict_yardsticks(
    matrix: Matrix, side: Side, rows: pd.DataFrame, features: Sequence[Feature], *, scorecard: Scorecard
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
    card = fit_scorer(matrix, side.rows.iloc[:0], kind="scorecard", features=features, scorecard=scorecard, seed=0,
                      threads=1)  # fmt: skip
    found["scorecard"] = card.probability(card.raw(asked.columns))
    learned, given = encode_training(seen, label, weight, features), encode(encoder, asked.columns)
    known = np.isfinite(learned).any(axis=0)
    learned, given = learned[:, known], given[:, known]
    with threadpool_limits(1):  # sums of several threads differ in the last bits
        found["logistic"] = _fit_logistic(learned, label, weight).predict_proba(given)[:, 1]
        forest = HistGradientBoostingClassifier(random_state=0).fit(learned, label, weight)
        found["hist_gradient_boosting"] = forest.predict_proba(given)[:, 1]
    trees = lightgbm.train(
        {"objective": "binary", "verbose": -1, "deterministic": True, "force_col_wise": True, "num_threads": 1},
        lightgbm.Dataset(learned, label, weight=weight),
    )
    found["lightgbm"] = np.asarray(trees.predict(given))
    found["naive_bayes"] = predict_naive_bayes(seen, label, weight, asked, features)
    return found


def _fit_logistic(x: np.ndarray, label: np.ndarray, weight: np.ndarray) -> LogisticRegression:
    model = make_pipeline(
        FunctionTransformer(_compress),
        SimpleImputer(strategy="median"),
        StandardScaler(),
        LogisticRegression(C=0.05, max_iter=2000),
    )
    return model.fit(x, label, logisticregression__sample_weight=weight)


def _binned(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The fifth (n,) of the numbers `among` in which each value lies, None where it is unknown."""
    known = among[~np.isnan(among)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known
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
        ratio = np.log(counts["won"] / counts["won"].sum()) - np.log(counts["lost"] / counts["lost"].sum())
        odds += pd.Series(new).map(ratio).fillna(0.0).to_numpy(dtype=float)
    return sigmoid(odds)
