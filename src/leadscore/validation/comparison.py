"""Our model beside the yardsticks on the same unseen rows: what each is worth, and by how much it differs from ours."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import (
    EvaluationSet,
    compute_gain,
    compute_spreads,
    difference_of,
    estimate_of,
)
from leadscore.history.split import History
from leadscore.model.encode import fold_of_group
from leadscore.model.judge import as_json, describe_evaluated
from leadscore.model.train import FitResult, fit_model
from leadscore.model.training import Training, open_training
from leadscore.progress import Progress, silent
from leadscore.validation.baselines import predict_baselines

OURS = "leadscore"


@dataclass(frozen=True)
class Compared:
    """Our training, and what all models say (n,) of the rows that judge it."""

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
    clocks: AbstractSet[str] = frozenset(),
) -> Compared:
    """Train as of a moment, and fit every yardstick on the same earlier side for the rows that judge it."""
    result = fit_model(
        history, known_us=known_us, progress=progress, leave_out=leave_out, clocks=clocks
    )
    assert result.evaluated is not None  # noqa: S101  (a training that nothing judges ends in an error)
    training = open_training(history, known_us=known_us, progress=silent, leave_out=leave_out)
    return Compared(
        result, result.evaluated, {OURS: result.evaluated.probability, **_predict(training)}
    )


def _predict(training: Training) -> dict[str, np.ndarray]:
    card = training.history.settings.scorecard
    if training.moments:
        last = training.pools["last"]
        rows = last.rows[last.observed]
        return predict_baselines(
            training.matrix, training.earlier[-1], rows, training.features, scorecard=card
        )
    side, seed = training.side, training.history.settings.seed
    deals: list[tuple[int, ...]] = [()]
    if training.is_crossed:
        deals = [(seed, i) for i in range(training.repeats())]
    groups, every = training.matrix.take(side.rows).groups(), []
    for deal in deals:
        fold, parts = fold_of_group(groups, seed=deal), []
        for k in np.unique(fold):
            rest, asked = replace(side, rows=side.rows[fold != k]), side.rows[fold == k]
            found = predict_baselines(
                training.matrix, rest, asked, training.features, scorecard=card
            )
            parts.append(pd.DataFrame(found, index=asked.index))
        every.append(pd.concat(parts).loc[side.rows.index][side.observed])
    predictions = pd.concat(every, ignore_index=True)
    return {str(name): predictions[name].to_numpy() for name in predictions}


def compute_table(
    evaluated: EvaluationSet, predictions: Mapping[str, np.ndarray], *, seed: int
) -> dict[str, Any]:
    """By model: rows, leads and win rate, every metric, gain over the base rate, and `difference`: less ours, paired.

    Intervals are over leads, of the same resamples for all models.
    """
    base, ours = predictions["base_rate"], None
    found: dict[str, Any] = {}
    for name, probability in predictions.items():
        each = replace(
            evaluated, probability=probability, order=evaluated.order if name == OURS else None
        )
        spreads = compute_spreads(each, seed=seed)
        ours = spreads if name == OURS else ours
        metrics = as_json({key: estimate_of(spread) for key, spread in spreads.items()})
        difference = (
            {key: difference_of(spreads[key], ours[key]) for key in spreads}
            if ours and name != OURS
            else {}
        )
        found[name] = (
            describe_evaluated(each)
            | metrics
            | as_json(compute_gain(each, base, seed=seed))
            | {"difference": as_json(difference)}
        )
    return found
