"""How the linear scorer reads categories and how freely it moves, chosen on held-out rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import contribute_all, encode, softplus
from leadscore.model.encode import (
    EncodedColumns,
    TrainingColumns,
    fold_of_group,
    pool_rare_levels,
)
from leadscore.model.scorers.logistic import LOG_ODDS_SPREAD, ROUGH, STOP, fit_logistic
from leadscore.settings.scorecard import Scorecard

FOLDS = 3
LEAST_ROWS = 50  # compared rows with label 1, and as many with label 0
MOST_ROWS = 10_000  # on each side of a comparison; more would not change it

Pair = tuple[pd.DataFrame, pd.DataFrame]  # rows to learn from, rows to compare on


@dataclass(frozen=True)
class Linear:
    """How logistic regression is fitted.

    Attributes:
        level_spread: prior standard deviation, in log-odds, of one level of a category; None for
            categories that enter as their rates.
        log_odds_spread: prior standard deviation of the log-odds around the scorecard's.
    """

    level_spread: float | None = None
    log_odds_spread: float = LOG_ODDS_SPREAD

    def as_json(self) -> dict[str, Any]:
        """The keys of a scorer's JSON, from which a promotion follows the recipe again."""
        return {"level_spread": self.level_spread, "raw_spread": self.log_odds_spread}


LINEAR = Linear()
LEVEL_SPREADS = (None, 0.3, 0.7)
LOG_ODDS_SPREADS = (LOG_ODDS_SPREAD, 2 * LOG_ODDS_SPREAD)


def choose_linear(
    matrix: Matrix,
    pairs: Sequence[Pair],
    *,
    features: Sequence[Feature],
    scorecard: Scorecard,
) -> Linear:
    """The candidate with the lowest log loss on the compared rows; the default with too few.

    Args:
        matrix: has the features of all rows.
        pairs: rows to learn from, and rows of other leads or of later moments to compare on; with
            label and weight.
        features: what the matrix holds.
        scorecard: the prior's points and base rate.
    """
    pairs = [(_thin(learned), _thin(compared)) for learned, compared in pairs]
    labels = [compared["label"] for _, compared in pairs]
    won = 0
    not_won = 0
    for label in labels:
        won += int((label == 1).sum())
        not_won += int((label == 0).sum())
    if min(won, not_won) < LEAST_ROWS:
        return LINEAR

    comparisons = [_Comparison(matrix, pair, features, scorecard) for pair in pairs]
    candidates = _list_candidates(features)

    def total_loss(candidate: Linear) -> float:
        return sum(comparison.loss(candidate) for comparison in comparisons)

    return min(candidates, key=total_loss)


def _list_candidates(features: Sequence[Feature]) -> list[Linear]:
    has_category = any(feature.is_category for feature in features)
    level_spreads = LEVEL_SPREADS if has_category else (None,)
    return [Linear(level, spread) for level in level_spreads for spread in LOG_ODDS_SPREADS]


def pairs_within(matrix: Matrix, rows: pd.DataFrame) -> list[Pair]:
    """Three folds of the rows by group, each compared once."""
    rows = _thin(rows)
    groups = matrix.take_keys(rows).groups()
    fold = fold_of_group(groups, folds=FOLDS)
    pairs = []
    for k in range(FOLDS):
        inside = fold == k
        pairs.append((rows[~inside], rows[inside]))
    return pairs


def _thin(rows: pd.DataFrame) -> pd.DataFrame:
    """The labelled rows, those of a sample of leads where there are too many."""
    rows = pd.DataFrame(rows[rows["label"].notna()])
    one_in = math.ceil(len(rows) / MOST_ROWS)
    if one_in <= 1:
        return rows
    fold = fold_of_group(rows["lead_id"].to_numpy(), folds=one_in)
    return pd.DataFrame(rows[fold == 0])


class _Comparison:
    """Rows to learn from and rows to compare on, encoded once."""

    def __init__(
        self,
        matrix: Matrix,
        pair: Pair,
        features: Sequence[Feature],
        scorecard: Scorecard,
    ) -> None:
        self.features = features
        self.scorecard = scorecard

        learned, compared = pair
        self.label = learned["label"].to_numpy(dtype=float)
        self.weight = learned["weight"].to_numpy(dtype=float)
        self.seen = matrix.take(learned)
        columns = TrainingColumns.of(self.seen, self.label, self.weight, features)
        self.encoded = columns.stack()

        self.compared_label = compared["label"].to_numpy(dtype=float)
        self.compared_weight = compared["weight"].to_numpy(dtype=float)
        self.compared_columns = matrix.take(compared).columns
        self.compared_encoded = encode(columns.encoder, self.compared_columns)

    def loss(self, linear: Linear) -> float:
        """The weighted sum of log losses on the compared rows."""
        if len(np.unique(self.label)) < 2:
            return 0.0
        scorer = fit_linear(
            self.seen,
            self.encoded.T,
            self.label,
            self.weight,
            linear=linear,
            features=self.features,
            scorecard=self.scorecard,
            stop=ROUGH,
        )
        added = contribute_all(scorer["terms"], self.compared_encoded, self.compared_columns)
        log_odds = scorer["base"] + added.sum(axis=1)
        losses = softplus(log_odds) - self.compared_label * log_odds
        return float(self.compared_weight @ losses)


def fit_linear(
    seen: Matrix,
    encoded: EncodedColumns,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    linear: Linear,
    features: Sequence[Feature],
    scorecard: Scorecard,
    stop: Mapping[str, float] = STOP,
) -> dict[str, Any]:
    """Logistic regression as JSON.

    Args:
        seen: n rows as they come.
        encoded: a column for each feature, as of `TrainingColumns`.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        linear: how to read categories, and the prior's spread.
        features: what the columns are.
        scorecard: the prior's points and base rate.
        stop: when the optimiser is done.
    """
    reads_levels = linear.level_spread is not None
    return fit_logistic(
        encoded,
        label,
        weight,
        leads=seen.keys["lead_id"].nunique(),
        features=features,
        scorecard=scorecard,
        log_odds_spread=linear.log_odds_spread,
        texts=_pool_levels(seen, features) if reads_levels else None,
        level_spread=linear.level_spread or 0.0,
        stop=stop,
    )


def _pool_levels(seen: Matrix, features: Sequence[Feature]) -> list[np.ndarray | None]:
    """The values (n,) of each category, with rare ones pooled; None for other features."""
    lead_of_row, _ = pd.factorize(seen.keys["lead_id"])
    texts: list[np.ndarray | None] = []
    for feature in features:
        text = None
        if feature.is_category:
            text = pool_rare_levels(seen.columns[feature.name], lead_of_row)
        texts.append(text)
    return texts
