"""What a model must be better than: logistic regression on the same features, the stage alone, the base rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.labels import Side
from leadscore.model.apply import encode, sigmoid
from leadscore.model.encode import encode_training, fit_encoder


def predict_yardsticks(
    matrix: Matrix, side: Side, rows: pd.DataFrame, features: Sequence[Feature]
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
    logistic = make_pipeline(
        FunctionTransformer(_compress),
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.05, max_iter=2000),
    )
    logistic.fit(encode_training(seen, label, weight, features), label, logisticregression__sample_weight=weight)
    found["logistic"] = logistic.predict_proba(encode(encoder, asked.columns))[:, 1]
    return found


def _compress(x: np.ndarray) -> np.ndarray:
    """Counts, days and amounts have long tails that would rule a linear model."""
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))
