"""The size of the boosted trees where nothing is later: tried on folds of the rows that learn.

Whoever evaluates a fit holds its rows out before calling this, so the choice never saw them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import lightgbm
import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import softplus
from leadscore.model.encode import fold_of_group
from leadscore.model.sampled import sample_leads
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.encoded_pair import (
    EncodedPair,
    EncodedRows,
    encode_pair,
)
from leadscore.model.scorers.time_limit import TimeLimit
from leadscore.model.scorers.tune import Tuning
from leadscore.results import Trial

MOST_ROWS = 40_000  # that take part; more would not change the choice
LEAST_LEADS = 500  # of either outcome; with fewer the choice is mostly luck
FOLDS = 3
MANY_ROWS = 10_000  # with so many a single fold compares well enough
STAGE = 50  # trees from one comparison to the next
STAGES = range(STAGE, 601, STAGE)
SIZES = (
    Boosting(),
    Boosting(leaves=12, feature_share=0.5),
    Boosting(leaves=31, feature_share=0.5),
)


def tune_within(
    matrix: Matrix,
    rows: pd.DataFrame,
    *,
    features: Sequence[Feature],
    trials: int,
    seed: int,
    limit: TimeLimit,
) -> Tuning:
    """The trees with the lowest log loss on rows of other leads; the default with too few rows.

    Args:
        matrix: has the features of all rows.
        rows: one a lead, with label and weight; censored ones (label NaN) are left out.
        features: what the matrix holds.
        trials: how many of `SIZES` to try at most; the number of trees comes free with each.
        seed: of the trees, and of the leads drawn where there are more than `MOST_ROWS`.
        limit: no size is tried after it; the result then depends on the machine.
    """
    rows = pd.DataFrame(rows[rows["label"].notna()])
    won = int((rows["label"] == 1).sum())
    not_won = len(rows) - won
    if trials == 1 or min(won, not_won) < LEAST_LEADS:
        return Tuning(Boosting(), [], reproducible=True)

    sampled = sample_leads(rows, most=MOST_ROWS, seed=seed)
    pairs = _build_pairs(matrix, sampled, features)
    tried: list[Trial] = []
    reproducible = True
    for size in SIZES[:trials]:
        if limit.is_over():
            reproducible = False
            break
        tried += _try_size(pairs, size, seed=seed)

    if not tried:
        return Tuning(Boosting(), [], reproducible)
    best = min(tried, key=_loss)
    boosting = Boosting(best.trees, best.leaves, best.l2, best.feature_share)
    return Tuning(boosting, tried, reproducible)


def _loss(trial: Trial) -> float:
    """The log loss of a trial; every one here was run to its end."""
    assert trial.log_loss is not None  # noqa: S101
    return trial.log_loss


def _build_pairs(
    matrix: Matrix,
    rows: pd.DataFrame,
    features: Sequence[Feature],
) -> list[EncodedPair]:
    """Folds of the rows by group, or one of them where the rows are many."""
    groups = matrix.take_keys(rows).groups()
    fold = fold_of_group(groups, folds=FOLDS)
    folds = 1 if len(rows) > MANY_ROWS else FOLDS
    pairs = []
    for k in range(folds):
        is_compared = fold == k
        learned = rows[~is_compared]
        compared = rows[is_compared]
        pair = encode_pair(matrix, learned, compared, features)
        pairs.append(pair)
    return pairs


def _try_size(
    pairs: Sequence[EncodedPair],
    size: Boosting,
    *,
    seed: int,
) -> list[Trial]:
    """The mean log loss of a size after every stage."""
    largest = replace(size, trees=STAGES[-1])
    total = np.zeros(len(STAGES))
    weight = 0.0
    for pair in pairs:
        booster_text = pair.learned.fit(largest, seed=seed, threads=1)
        total += _sum_losses(booster_text, pair.compared)
        weight += float(pair.compared.weight.sum())

    trials = []
    for trees, loss in zip(STAGES, total / weight, strict=True):
        parameters = asdict(replace(size, trees=trees))
        trials.append(Trial(**parameters, log_loss=float(loss), splits=len(pairs)))
    return trials


def _sum_losses(booster_text: str, rows: EncodedRows) -> np.ndarray:
    """The weighted sum of the rows' log losses after every stage (stages,)."""
    booster = lightgbm.Booster(model_str=booster_text)
    log_odds = np.zeros(len(rows.label))
    sums = []
    for trees in STAGES:
        added = booster.predict(
            rows.encoded,
            raw_score=True,
            start_iteration=trees - STAGE,
            num_iteration=STAGE,
            num_threads=1,
        )
        log_odds += np.asarray(added)
        losses = softplus(log_odds) - rows.label * log_odds
        sums.append(float(rows.weight @ losses))
    return np.array(sums)
