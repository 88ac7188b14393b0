"""The size of the boosted trees, tried by Optuna on rolling splits and compared on later rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import lightgbm
import numpy as np
import optuna
import pandas as pd

from leadscore.evaluation.metrics import compute_standard_error, row_log_loss
from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import sigmoid
from leadscore.model.sampled import sample_leads
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.encoded_pair import (
    MOST_ROWS,
    EncodedPair,
    EncodedRows,
    encode_pair,
)
from leadscore.model.threads import map_in_threads
from leadscore.results import Trial

UNPRUNED_SPLITS = 2  # that every trial sees
STARTUP_TRIALS = 5  # drawn at random, and not pruned, before anything is concluded from them
Rolling = Sequence[tuple[pd.DataFrame, pd.DataFrame]]


@dataclass(frozen=True)
class Tuning:
    """The result of a search.

    Attributes:
        boosting: the chosen size.
        trials: what was tried.
        reproducible: False if time, not the number of trials, ended the search.
        sampled: how many rows learned at each split, if some were too many; empty where all did.
    """

    boosting: Boosting
    trials: list[Trial]
    reproducible: bool
    sampled: tuple[int, ...] = ()


@dataclass(frozen=True)
class Losses:
    """Log loss, weight and lead of each row (n,) on the later sides of all splits."""

    loss: np.ndarray
    weight: np.ndarray
    lead_id: np.ndarray

    def mean(self) -> float:
        """The weighted mean log loss."""
        return float(np.average(self.loss, weights=self.weight))


def tune_boosted(
    matrix: Matrix,
    splits: Rolling,
    *,
    features: Sequence[Feature],
    trials: int,
    seed: int,
    threads: int,
    timeout_s: float | None = None,
) -> Tuning:
    """The smallest trees within one standard error of the best, by weighted log loss.

    Trials are proposed by TPE (Bergstra et al. 2011), the default first. A trial is pruned after
    two splits where its loss is above the median of the others'. At most `MOST_ROWS` labelled rows
    of each split learn (see `sample_leads`).

    Args:
        matrix: has the features of all rows.
        splits: earlier and later rows of each, with label and weight; censored ones (label NaN) are
            left out.
        features: what the matrix holds.
        trials: how many to try, at least 1.
        seed: of the samples, of the proposals and of the trees.
        threads: how many splits are fitted at a time; the result does not depend on it.
        timeout_s: no trial begins after so many seconds; the result then depends on the machine.
    """
    sampled = _sample(splits, seed=seed)
    pairs = [encode_pair(matrix, *split, features) for split in sampled]
    objective = _Objective(pairs, seed=seed, threads=threads)

    study = _create_study(seed)
    study.optimize(objective, n_trials=1)  # however little time there is
    study.optimize(objective, n_trials=trials - 1, timeout=timeout_s)
    tried = {trial.number: Boosting(**trial.params) for trial in study.trials}
    return Tuning(
        boosting=_choose(tried, objective.completed),
        trials=[_describe(trial) for trial in study.trials],
        reproducible=len(study.trials) == trials,
        sampled=_count_sampled(pairs, sampled, splits),
    )


def _sample(splits: Rolling, *, seed: int) -> Rolling:
    """The same splits with at most `MOST_ROWS` labelled rows to learn from in each."""
    sampled = []
    for earlier, later in splits:
        learned = sample_leads(earlier, most=MOST_ROWS, seed=seed)
        sampled.append((learned, later))
    return sampled


def _count_sampled(
    pairs: Sequence[EncodedPair],
    sampled: Rolling,
    splits: Rolling,
) -> tuple[int, ...]:
    """How many labelled rows learned at each split; empty where all did."""
    earlier = sum(len(rows) for rows, _ in splits)
    learned = sum(len(rows) for rows, _ in sampled)
    if learned == earlier:
        return ()
    return tuple(pair.learned.count for pair in pairs)


def _create_study(seed: int) -> optuna.Study:
    """A search that begins with the default size."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # else Ctrl-C ends in its traceback
    sampler = optuna.samplers.TPESampler(seed=seed % 2**32, n_startup_trials=STARTUP_TRIALS)
    pruner = optuna.pruners.MedianPruner(
        n_startup_trials=STARTUP_TRIALS, n_warmup_steps=UNPRUNED_SPLITS - 1
    )
    study = optuna.create_study(sampler=sampler, pruner=pruner)
    study.enqueue_trial(asdict(Boosting()))
    return study


@dataclass(frozen=True)
class _Objective:
    """The log loss of a trial over all splits; the losses of every trial that was not pruned.

    Attributes:
        pairs: earlier and later rows of each split.
        seed: of the trees.
        threads: how many pairs are fitted at a time; the result does not depend on it.
        completed: number of a trial -> its losses.
    """

    pairs: Sequence[EncodedPair]
    seed: int
    threads: int
    completed: dict[int, Losses] = field(default_factory=dict)

    def __call__(self, trial: optuna.Trial) -> float:
        boosting = _propose(trial)
        parts = self._measure(self.pairs[:UNPRUNED_SPLITS], boosting)
        _report(trial, parts)
        rest = self.pairs[UNPRUNED_SPLITS:]
        if rest:
            if trial.should_prune():
                raise optuna.TrialPruned
            parts += self._measure(rest, boosting)
            _report(trial, parts, first=UNPRUNED_SPLITS)

        losses = _pool(parts)
        self.completed[trial.number] = losses
        return losses.mean()

    def _measure(self, pairs: Sequence[EncodedPair], boosting: Boosting) -> list[Losses]:
        """The losses of trees of a size on the later rows of some splits."""

        def measure(pair: EncodedPair) -> Losses:
            booster_text = pair.learned.fit(boosting, seed=self.seed, threads=1)
            return _measure_losses(booster_text, pair.compared)

        return map_in_threads(measure, pairs, threads=self.threads)


def _report(trial: optuna.Trial, parts: Sequence[Losses], *, first: int = 0) -> None:
    """Tell the trial its loss over the splits up to each, from the first not yet reported."""
    for step in range(first, len(parts)):
        so_far = parts[: step + 1]
        trial.report(_pool(so_far).mean(), step)


def _propose(trial: optuna.Trial) -> Boosting:
    return Boosting(
        trees=trial.suggest_int("trees", 50, 600, step=50),
        leaves=trial.suggest_int("leaves", 2, 32, log=True),
        l2=trial.suggest_float("l2", 1.0, 100.0, log=True),
        feature_share=trial.suggest_float("feature_share", 0.1, 1.0),
    )


def _measure_losses(booster_text: str, rows: EncodedRows) -> Losses:
    booster = lightgbm.Booster(model_str=booster_text)
    predicted = booster.predict(rows.encoded, raw_score=True, num_threads=1)
    log_odds = np.asarray(predicted)
    loss = row_log_loss(sigmoid(log_odds), rows.label)
    return Losses(loss, rows.weight, rows.lead_id)


def _pool(parts: Sequence[Losses]) -> Losses:
    return Losses(
        loss=np.concatenate([part.loss for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        lead_id=np.concatenate([part.lead_id for part in parts]),
    )


def _choose(tried: Mapping[int, Boosting], completed: Mapping[int, Losses]) -> Boosting:
    """The fewest splits among the trials within one standard error of the best.

    Of equally many the better is chosen, then the earlier one.
    """

    def by_loss(number: int) -> tuple[float, int]:
        return completed[number].mean(), number

    best = min(completed, key=by_loss)
    best_losses = completed[best]

    def is_as_good(number: int) -> bool:
        losses = completed[number]
        excess = losses.loss - best_losses.loss
        error = compute_standard_error(excess, best_losses.weight, best_losses.lead_id)
        return losses.mean() - best_losses.mean() <= error

    def by_size(number: int) -> tuple[int, float, int]:
        splits = tried[number].splits()
        return splits, completed[number].mean(), number

    smallest = min(filter(is_as_good, completed), key=by_size)
    return tried[smallest]


def _describe(trial: optuna.trial.FrozenTrial) -> Trial:
    """A trial's parameters, log loss (None if pruned) and the number of splits it saw."""
    is_complete = trial.state == optuna.trial.TrialState.COMPLETE
    return Trial(
        **trial.params,
        log_loss=trial.value if is_complete else None,
        splits=len(trial.intermediate_values),
    )
