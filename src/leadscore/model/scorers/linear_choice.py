"""How the linear scorer reads categories and how freely it moves, chosen on rows that it had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import contribute_all, encode, softplus
from leadscore.model.encode import encode_training, fit_encoder, fold_of_group, pool_rare_levels
from leadscore.model.scorers.logistic import LOG_ODDS_SPREAD, ROUGH, STOP, fit_logistic
from leadscore.settings.scorecard import Scorecard

FOLDS = 3
LEAST_ROWS = 50  # labelled 1, and as many labelled 0, among the rows that compare
MOST_ROWS = 10_000  # on each side of a comparison; more would not change it

Pair = tuple[pd.DataFrame, pd.DataFrame]  # rows to learn from, rows that compare


@dataclass(frozen=True)
class Linear:
    """How logistic regression is fitted.

    Attributes:
        level_spread: how far, in log-odds, one level of a category may well lie from the others; None for categories
            that enter as their rates.
        log_odds_spread: how far all features together may well move the log-odds away from the scorecard's.
    """

    level_spread: float | None = None
    log_odds_spread: float = LOG_ODDS_SPREAD


LINEAR = Linear()
LEVEL_SPREADS = (None, 0.3, 0.7)
LOG_ODDS_SPREADS = (LOG_ODDS_SPREAD, 2 * LOG_ODDS_SPREAD)


def choose_linear(
    matrix: Matrix, pairs: Sequence[Pair], *, features: Sequence[Feature], scorecard: Scorecard
) -> Linear:
    """The way with the lowest log loss on the comparing rows; the default where they are too few.

    Args:
        matrix: has the features of all rows.
        pairs: rows to learn from, and rows of other leads or of later moments that compare; with label and weight.
        features: what the matrix holds.
        scorecard: the prior's points and base rate.
    """
    pairs = [(_thin(learned), _thin(compared)) for learned, compared in pairs]
    label = (
        np.concatenate([compared["label"].to_numpy() for _, compared in pairs])
        if pairs
        else np.empty(0)
    )
    if min((label == 1).sum(), (label == 0).sum()) < LEAST_ROWS:
        return LINEAR
    spreads = LEVEL_SPREADS if any(feature.is_category for feature in features) else (None,)
    candidates = [Linear(level, spread) for level in spreads for spread in LOG_ODDS_SPREADS]
    comparisons = [_Comparison(matrix, pair, features, scorecard) for pair in pairs]
    losses = [sum(comparison.loss(linear) for comparison in comparisons) for linear in candidates]
    return candidates[int(np.argmin(losses))]


def pairs_within(matrix: Matrix, rows: pd.DataFrame) -> list[Pair]:
    """Three folds of the rows by group, each compared once."""
    rows = _thin(rows)
    fold = fold_of_group(matrix.take(rows).groups(), folds=FOLDS)
    return [(rows[fold != k], rows[fold == k]) for k in range(FOLDS)]


def _thin(rows: pd.DataFrame) -> pd.DataFrame:
    """The labelled rows, of every so-manieth lead where there are too many."""
    rows = pd.DataFrame(rows[rows["label"].notna()])
    every = -(-len(rows) // MOST_ROWS)
    if every <= 1:
        return rows
    return pd.DataFrame(rows[fold_of_group(rows["lead_id"].to_numpy(), folds=every) == 0])


class _Comparison:
    """Rows to learn from and rows that compare, encoded once."""

    def __init__(
        self, matrix: Matrix, pair: Pair, features: Sequence[Feature], scorecard: Scorecard
    ) -> None:
        self.features, self.scorecard = features, scorecard
        learned, compared = pair
        self.label, self.weight = (
            learned[name].to_numpy(dtype=float) for name in ("label", "weight")
        )
        self.seen, self.asked = matrix.take(learned), matrix.take(compared)
        self.encoded = encode_training(self.seen, self.label, self.weight, features)
        encoder = fit_encoder(self.seen, self.label, self.weight, features)
        self.given = encode(encoder, self.asked.columns)
        self.asked_label, self.asked_weight = (
            compared[name].to_numpy(dtype=float) for name in ("label", "weight")
        )

    def loss(self, linear: Linear) -> float:
        """The weighted sum of log losses of the comparing rows."""
        if len(np.unique(self.label)) < 2:
            return 0.0
        scorer = fit_linear(
            self.seen,
            self.encoded,
            self.label,
            self.weight,
            linear=linear,
            features=self.features,
            scorecard=self.scorecard,
            stop=ROUGH,
        )
        log_odds = scorer["base"] + contribute_all(
            scorer["terms"], self.given, self.asked.columns
        ).sum(axis=1)
        return float(self.asked_weight @ (softplus(log_odds) - self.asked_label * log_odds))


def fit_linear(
    seen: Matrix,
    encoded: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    linear: Linear,
    features: Sequence[Feature],
    scorecard: Scorecard,
    stop: Mapping[str, float] = STOP,
) -> dict[str, Any]:
    """Logistic regression fitted in one way, as JSON.

    Args:
        seen: n rows, raw.
        encoded: (n, features), as `encode_training` gives it.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        linear: the way.
        features: what the columns are.
        scorecard: the prior's points and base rate.
        stop: when the optimiser is done.
    """
    is_level = linear.level_spread is not None
    leads_of_rows = pd.factorize(seen.keys["lead_id"])[0]
    texts = [
        pool_rare_levels(seen.columns[feature.name], leads_of_rows)
        if is_level and feature.is_category
        else None
        for feature in features
    ]
    return fit_logistic(
        encoded,
        label,
        weight,
        leads=len(np.unique(leads_of_rows)),
        features=features,
        scorecard=scorecard,
        log_odds_spread=linear.log_odds_spread,
        texts=texts,
        level_spread=linear.level_spread or 0.0,
        stop=stop,
    )
