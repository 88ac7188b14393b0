"""How large the boosted trees may be where nothing is later: tried on folds of the very rows that learn.

Whoever judges a fit keeps its rows out before this is called, so the choice never saw what judges it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import add_codes, encode, softplus
from leadscore.model.encode import encode_training, fit_encoder, fit_levels, fold_of_group
from leadscore.model.scorers.boosted import Boosting, fit_boosted
from leadscore.model.scorers.time_limit import TimeLimit
from leadscore.model.scorers.tune import Tuning

LEAST_LEADS = 500  # of either outcome: with fewer the choice is mostly luck
MOST_ROWS = 40_000  # that take part; more would not change the choice
FOLDS = 3
MANY_ROWS = 10_000  # with so many a single fold compares well enough
STAGE, MOST_TREES = 50, 600
SIZES = (Boosting(), Boosting(leaves=12, feature_share=0.5), Boosting(leaves=31, feature_share=0.5))


@dataclass(frozen=True)
class _Pair:
    """Rows that learn and rows of other leads that compare, encoded once."""

    levels: list[dict[str, Any]]
    encoded: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    asked: np.ndarray
    asked_label: np.ndarray
    asked_weight: np.ndarray

    def losses(self, booster_text: str, stages: Sequence[int]) -> np.ndarray:
        """The weighted sum of log losses of the comparing rows after so many trees, (stages,)."""
        booster = lightgbm.Booster(model_str=booster_text)
        log_odds = np.zeros(len(self.asked))
        losses = []
        for trees in stages:
            log_odds += np.asarray(
                booster.predict(
                    self.asked,
                    raw_score=True,
                    start_iteration=trees - STAGE,
                    num_iteration=STAGE,
                    num_threads=1,
                )
            )
            losses.append(
                float(self.asked_weight @ (softplus(log_odds) - self.asked_label * log_odds))
            )
        return np.array(losses)


def tune_within(
    matrix: Matrix,
    rows: pd.DataFrame,
    *,
    features: Sequence[Feature],
    trials: int,
    seed: int,
    limit: TimeLimit,
) -> Tuning:
    """The trees with the lowest log loss on rows of other leads; the default where the rows are too few.

    Args:
        matrix: has the features of all rows.
        rows: one a lead, with label and weight; censored ones (label NaN) are left out.
        features: what the matrix holds.
        trials: how many of `SIZES` to try at most; the number of trees comes free with each.
        seed: of the trees.
        limit: no size is tried after it; the result then depends on the machine.
    """
    rows = pd.DataFrame(rows[rows["label"].notna()])
    won = int((rows["label"] == 1).sum())
    if trials == 1 or min(won, len(rows) - won) < LEAST_LEADS:
        return Tuning(Boosting(), [], reproducible=True)
    pairs = _build_pairs(matrix, rows, features)
    stages = list(range(STAGE, MOST_TREES + 1, STAGE))
    tried: list[dict[str, Any]] = []
    sizes = SIZES[:trials]
    reproducible = True
    for size in sizes:
        if limit.is_over():
            reproducible = False
            break
        tried += _try(pairs, size, stages, features=features, seed=seed)
    if not tried:
        return Tuning(Boosting(), [], reproducible)
    best = min(tried, key=lambda trial: trial["log_loss"])
    return Tuning(
        Boosting(**{name: best[name] for name in asdict(Boosting())}), tried, reproducible
    )


def _try(
    pairs: Sequence[_Pair],
    size: Boosting,
    stages: Sequence[int],
    *,
    features: Sequence[Feature],
    seed: int,
) -> list[dict[str, Any]]:
    """A size's mean log loss after every stage, as JSON."""
    largest = replace(size, trees=stages[-1])
    total, weight = np.zeros(len(stages)), 0.0
    for pair in pairs:
        text = fit_boosted(
            pair.encoded,
            pair.label,
            pair.weight,
            features=features,
            levels=pair.levels,
            boosting=largest,
            seed=seed,
            threads=1,
        )
        total += pair.losses(text, stages)
        weight += float(pair.asked_weight.sum())
    return [
        asdict(replace(size, trees=trees)) | {"log_loss": float(loss), "splits": len(pairs)}
        for trees, loss in zip(stages, total / weight, strict=True)
    ]


def _build_pairs(matrix: Matrix, rows: pd.DataFrame, features: Sequence[Feature]) -> list[_Pair]:
    groups = matrix.take(rows).groups()
    every = -(-len(rows) // MOST_ROWS)
    if every > 1:
        taken = fold_of_group(groups, folds=every) == 0
        rows, groups = pd.DataFrame(rows[taken]), groups[taken]
    fold = fold_of_group(groups, folds=FOLDS)
    comparing = range(1 if len(rows) > MANY_ROWS else FOLDS)
    return [_encode(matrix, rows[fold != k], rows[fold == k], features) for k in comparing]


def _encode(
    matrix: Matrix, learned: pd.DataFrame, asked: pd.DataFrame, features: Sequence[Feature]
) -> _Pair:
    label, weight = (learned[name].to_numpy(dtype=float) for name in ("label", "weight"))
    asked_label, asked_weight = (asked[name].to_numpy(dtype=float) for name in ("label", "weight"))
    seen, given = matrix.take(learned), matrix.take(asked)
    levels = fit_levels(seen, features)
    encoder = fit_encoder(seen, label, weight, features)
    return _Pair(
        levels=levels,
        encoded=add_codes(levels, encode_training(seen, label, weight, features), seen.columns),
        label=label,
        weight=weight,
        asked=add_codes(levels, encode(encoder, given.columns), given.columns),
        asked_label=asked_label,
        asked_weight=asked_weight,
    )
