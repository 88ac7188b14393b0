"""Fits a scorer: the scorecard, logistic regression, boosted trees, or the average of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.model.apply import FORMAT, WinModel
from leadscore.model.encode import TrainingColumns, fit_encoder, fit_levels, fold_of_group
from leadscore.model.predict import predict_log_odds
from leadscore.model.scorers.boosted import Boosting, TreeRows
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
    """An uncalibrated model of a kind.

    Args:
        matrix: has the features of the rows.
        rows: with label and weight; censored ones (label NaN) are left out.
        kind: of `SCORERS`; "average" is of "logistic" and "boosted".
        features: what the matrix holds.
        scorecard: the points, toward which "logistic" is shrunk.
        boosting: size and regularisation of the trees.
        linear: how the regression is fitted; None to choose that within the rows.
        seed: of the trees.
        threads: of the trees; the result does not depend on it.
    """
    if kind not in SCORERS:
        raise ValueError(f"unknown scorer {kind!r}, known are {SCORERS}")
    if kind == "scorecard":
        return _build_scorecard(matrix, rows.iloc[:0], features, scorecard)
    labelled = rows[rows["label"].notna()]
    learned = _Learned.of(matrix, labelled, features)
    scorer: dict[str, Any] = {"kind": kind}
    if kind != "boosted":
        if linear is None:
            pairs = pairs_within(matrix, labelled)
            linear = choose_linear(matrix, pairs, features=features, scorecard=scorecard)
        scorer |= learned.fit_regression(kind, linear, scorecard)
    if kind == "logistic":
        return WinModel(learned.document() | {"scorer": scorer})
    return learned.fit_trees(scorer, boosting, seed=seed, threads=threads)


def _build_scorecard(
    matrix: Matrix,
    nothing: pd.DataFrame,
    features: Sequence[Feature],
    scorecard: Scorecard,
) -> WinModel:
    """The scorecard as a model, whose encoder has seen no row."""
    document = _Rows.of(matrix, nothing, features).document()
    return WinModel(document | {"scorer": build_scorecard(features, scorecard)})


@dataclass(frozen=True)
class _Rows:
    """Labelled rows, as they come: their features, label and weight (n,)."""

    seen: Matrix
    label: np.ndarray
    weight: np.ndarray
    features: Sequence[Feature]

    @classmethod
    def of(cls, matrix: Matrix, rows: pd.DataFrame, features: Sequence[Feature]) -> Self:
        """The features of some rows in a matrix, with their labels."""
        return cls(
            seen=matrix.take(rows),
            label=rows["label"].to_numpy(dtype=float),
            weight=rows["weight"].to_numpy(dtype=float),
            features=features,
        )

    def document(self) -> dict[str, Any]:
        """What the JSON of every model has, but for its scorer."""
        return {
            "format": FORMAT,
            "features": [_describe_feature(feature) for feature in self.features],
            "encoder": self.encoder(),
            "calibrator": UNCALIBRATED,
        }

    def encoder(self) -> list[dict[str, Any]]:
        """How features become numbers, as JSON."""
        return fit_encoder(self.seen, self.label, self.weight, self.features)


class _Learned(_Rows):
    """Labelled rows that a scorer learns from."""

    @cached_property
    def encoded(self) -> TrainingColumns:
        """The rows, encoded column by column."""
        return TrainingColumns.of(self.seen, self.label, self.weight, self.features)

    def encoder(self) -> list[dict[str, Any]]:
        """That of `encoded`."""
        return self.encoded.encoder

    def fit_regression(self, kind: str, linear: Linear, scorecard: Scorecard) -> dict[str, Any]:
        """Logistic regression as JSON; an average keeps it under a key of its own."""
        regression = fit_linear(
            self.seen,
            self.encoded,
            self.label,
            self.weight,
            linear=linear,
            features=self.features,
            scorecard=scorecard,
        )
        of_kind = {"linear": regression} if kind == "average" else regression
        return {**linear.as_json(), **of_kind}

    def fit_trees(
        self,
        scorer: Mapping[str, Any],
        boosting: Boosting,
        *,
        seed: int,
        threads: int,
    ) -> WinModel:
        """A model with boosted trees; `scorer` is the rest of its JSON."""
        levels = fit_levels(self.seen, self.features)
        rows = TreeRows.of(
            self.encoded.stack(levels),
            self.label,
            self.weight,
            features=self.features,
            levels=levels,
        )
        booster_text = rows.fit(boosting, seed=seed, threads=threads)
        described_scorer = {**scorer, **asdict(boosting)}
        described = {"levels": levels, "scorer": described_scorer}
        return WinModel(self.document() | described, booster_text)


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
    groups = matrix.take_keys(side.rows).groups()
    fold = fold_of_group(groups, seed=seed)
    log_odds = np.zeros(len(side.rows))
    for k in np.unique(fold):
        inside = fold == k
        model = fit(side.rows[~inside])
        log_odds[inside] = predict_log_odds(model, matrix.take(side.rows[inside]))
        done()
    return log_odds, fold
