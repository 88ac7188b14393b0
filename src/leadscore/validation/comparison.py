"""Our model beside the baselines on the same held-out rows, with paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.intervals import (
    Spread,
    compute_gain,
    compute_spreads,
    difference_of,
    estimate_of,
)
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.history.labels import Side
from leadscore.history.split import History
from leadscore.model.encode import fold_of_group
from leadscore.model.summaries import as_json, describe_evaluated
from leadscore.model.train import FitResult, fit_model
from leadscore.model.training import Training, open_training
from leadscore.progress import Progress, silent
from leadscore.validation.baselines import predict_baselines

OURS = "leadscore"


@dataclass(frozen=True)
class Compared:
    """Our training, and the probabilities (n,) of all models for the rows that evaluate it."""

    result: FitResult
    evaluated: EvaluationSet
    predictions: Mapping[str, np.ndarray]

    def table(self, *, seed: int) -> dict[str, Any]:
        """Metrics by model, as `compute_table` gives them."""
        return compute_table(self.evaluated, self.predictions, seed=seed)


def compare_models(
    history: History,
    *,
    known_us: int,
    leave_out: AbstractSet[str] = frozenset(),
    progress: Progress = silent,
    time_proxies: AbstractSet[str] = frozenset(),
) -> Compared:
    """Our model trained as of `known_us`, and every baseline fitted on the same earlier rows."""
    result = fit_model(
        history,
        known_us=known_us,
        progress=progress,
        leave_out=leave_out,
        time_proxies=time_proxies,
    )
    evaluated = result.evaluated
    assert evaluated is not None  # noqa: S101  (a training that nothing evaluates ends in an error)
    training = open_training(history, known_us=known_us, progress=silent, leave_out=leave_out)
    predictions = {OURS: evaluated.probability, **_predict(training)}
    return Compared(result, evaluated, predictions)


def _predict(training: Training) -> dict[str, np.ndarray]:
    """The baselines' probabilities of the rows that evaluate, once a repeat."""
    if training.moments:
        last = training.pools["last"]
        rows = last.rows[last.observed]
        return _predict_from(training, training.earlier[-1], rows)

    seeds: list[tuple[int, ...]] = [()]
    if training.is_crossed:
        seed = training.history.settings.seed
        seeds = [(seed, repeat) for repeat in range(training.repeats())]
    repeats = [_cross_validate(training, seed) for seed in seeds]
    predictions = pd.concat(repeats, ignore_index=True)
    return {str(name): predictions[name].to_numpy() for name in predictions}


def _predict_from(training: Training, side: Side, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    scorecard = training.history.settings.scorecard
    return predict_baselines(training.matrix, side, rows, training.features, scorecard=scorecard)


def _cross_validate(training: Training, seed: tuple[int, ...]) -> pd.DataFrame:
    """The labelled rows, a column for each baseline, predicted from the other folds."""
    side = training.side
    fold = fold_of_group(training.matrix.take(side.rows).groups(), seed=seed)
    parts = []
    for k in np.unique(fold):
        rest = replace(side, rows=side.rows[fold != k])
        rows = side.rows[fold == k]
        parts.append(pd.DataFrame(_predict_from(training, rest, rows), index=rows.index))
    return pd.concat(parts).loc[side.rows.index][side.observed]


def compute_table(
    evaluated: EvaluationSet,
    predictions: Mapping[str, np.ndarray],
    *,
    seed: int,
) -> dict[str, Any]:
    """What each model is worth, by its name, as JSON.

    Rows, leads and win rate, every metric, the gain over the base rate, and `difference`: each
    metric less ours, paired. Intervals are over leads, of the same resamples for all models.

    Args:
        evaluated: the rows; ours is ranked by their `order`, if they have one.
        predictions: model -> probabilities (n,), ours before those to be compared with it.
        seed: of the resamples.
    """
    base_rate = predictions["base_rate"]
    ours: dict[str, Spread] | None = None
    table = {}
    for name, probability in predictions.items():
        is_ours = name == OURS
        order = evaluated.order if is_ours else None
        predicted = replace(evaluated, probability=probability, order=order)
        spreads = compute_spreads(predicted, seed=seed)
        if is_ours:
            ours = spreads
        compared_with = None if is_ours else ours
        table[name] = {
            **describe_evaluated(predicted),
            **as_json({key: estimate_of(spread) for key, spread in spreads.items()}),
            **as_json(compute_gain(predicted, base_rate, seed=seed)),
            "difference": _differences(spreads, compared_with),
        }
    return table


def _differences(
    spreads: Mapping[str, Spread], ours: Mapping[str, Spread] | None
) -> dict[str, Any]:
    """How much larger each metric is than ours, as JSON; empty if there is nothing to compare."""
    if ours is None:
        return {}
    differences = {key: difference_of(spread, ours[key]) for key, spread in spreads.items()}
    return as_json(differences)
