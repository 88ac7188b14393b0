"""Our model beside the baselines on the same held-out rows, with paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

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
from leadscore.evaluation.summaries import as_intervals, summarise_rows
from leadscore.history.side import Side
from leadscore.history.split import History
from leadscore.model.encode import fold_of_group
from leadscore.model.train import FitResult, fit_model
from leadscore.model.training import Training, open_training
from leadscore.progress import Progress, silent
from leadscore.results import Interval, ModelMetrics
from leadscore.validation.baselines import predict_baselines

OURS = "leadscore"


@dataclass(frozen=True)
class Compared:
    """Our training, and the probabilities (n,) of all models for the rows that evaluate it."""

    result: FitResult
    evaluated: EvaluationSet
    predictions: Mapping[str, np.ndarray]

    def table(self, *, seed: int) -> dict[str, ModelMetrics]:
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
        numbers = range(training.repeats())
        seeds = [(seed, number) for number in numbers]
    repeats = [_cross_validate(training, seed) for seed in seeds]
    predictions = pd.concat(repeats, ignore_index=True)
    return {str(name): predictions[name].to_numpy() for name in predictions}


def _predict_from(
    training: Training,
    side: Side,
    rows: pd.DataFrame,
) -> dict[str, np.ndarray]:
    scorecard = training.history.settings.scorecard
    return predict_baselines(training.matrix, side, rows, training.features, scorecard=scorecard)


def _cross_validate(training: Training, seed: tuple[int, ...]) -> pd.DataFrame:
    """The labelled rows, a column for each baseline, predicted from the other folds."""
    side = training.side
    groups = training.matrix.take(side.rows).groups()
    fold = fold_of_group(groups, seed=seed)
    parts = []
    for k in np.unique(fold):
        rest = replace(side, rows=side.rows[fold != k])
        rows = side.rows[fold == k]
        predictions = _predict_from(training, rest, rows)
        parts.append(pd.DataFrame(predictions, index=rows.index))
    in_order = pd.concat(parts).loc[side.rows.index]
    return in_order[side.observed]


def compute_table(
    evaluated: EvaluationSet,
    predictions: Mapping[str, np.ndarray],
    *,
    seed: int,
) -> dict[str, ModelMetrics]:
    """What each model is worth, by its name.

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
        metrics = {key: estimate_of(spread) for key, spread in spreads.items()}
        metrics |= compute_gain(predicted, base_rate, seed=seed)
        difference = _differences(spreads, None if is_ours else ours)
        rows = dict(summarise_rows(predicted))
        fields = {**rows, **as_intervals(metrics), "difference": difference}
        table[name] = ModelMetrics.from_dict(fields)
    return table


def _differences(
    spreads: Mapping[str, Spread],
    ours: Mapping[str, Spread] | None,
) -> dict[str, Interval]:
    """How much larger each metric is than ours; empty if there is nothing to compare."""
    if ours is None:
        return {}
    differences = {}
    for key, spread in spreads.items():
        differences[key] = difference_of(spread, ours[key])
    return as_intervals(differences)
