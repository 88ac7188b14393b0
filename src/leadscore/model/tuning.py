"""How logistic regression and boosted trees are fitted, by the splits before the last."""

from __future__ import annotations

from leadscore.model.scorers.encoded_pair import MOST_ROWS
from leadscore.model.scorers.linear_choice import Linear, Pair, choose_linear
from leadscore.model.scorers.tune import Tuning, tune_boosted
from leadscore.model.training import Training

TUNED_SPLITS = 3  # the latest that may be tuned on: each costs every trial a fit
LEAST_SPLITS = 2


def tune_linear(training: Training) -> Linear | None:
    """How logistic regression is fitted; None where the earlier splits are too few to tell."""
    pairs = earlier_pairs(training)
    if len(pairs) < LEAST_SPLITS:
        return None
    return choose_linear(
        training.matrix,
        pairs,
        features=training.features,
        scorecard=training.history.settings.scorecard,
    )


def tune_trees(training: Training) -> Tuning | None:
    """The size of the boosted trees; None where there is nothing to try, or nothing to try it on.

    Undated leads without enough splits are tuned by cross-validation.
    """
    settings = training.history.settings
    if settings.model.trials == 1:
        return None
    pairs = earlier_pairs(training)
    if len(pairs) < LEAST_SPLITS:
        if settings.is_dated:
            return None
        latest = [training.side, *training.earlier][-1]
        return training.tune_within(latest.rows)
    return tune_boosted(
        training.matrix,
        _choose_tuned(pairs),
        features=training.features,
        trials=settings.model.trials,
        seed=settings.seed,
        threads=settings.engine.threads,
        timeout_s=training.limit.left_s(),
    )


def _choose_tuned(pairs: list[Pair]) -> list[Pair]:
    """The latest of the splits, fewer where their rows are many: two of these compare well enough."""
    longest = max(earlier["label"].count() for earlier, _ in pairs)
    return pairs[-LEAST_SPLITS:] if longest > MOST_ROWS else pairs


def earlier_pairs(training: Training) -> list[Pair]:
    """The latest splits but the last: what could be learned at each, and the rows up to the next.

    Splits whose later rows have one outcome only are left out.
    """
    before = training.pools.get("before")
    if before is None:
        return []
    split = before.latest_moment(training.moments)
    pairs = []
    for i, side in enumerate(training.earlier[:-1]):
        later = before.rows[split == i]
        if later["label"].nunique() == 2:
            pairs.append((side.rows, later))
    return pairs[-TUNED_SPLITS:]
