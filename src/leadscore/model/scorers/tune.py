"""How large the boosted trees may be: tried by Optuna on rolling splits, each judged on what came after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import lightgbm
import numpy as np
import optuna
import pandas as pd

from leadscore.evaluation.metrics import compute_standard_error, row_log_loss
from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import add_codes, encode, sigmoid
from leadscore.model.encode import encode_training, fit_encoder, fit_levels
from leadscore.model.scorers.boosted import Boosting, fit_boosted

STARTUP_TRIALS = 5  # drawn at random, and not pruned, before anything is concluded from them
Rolling = Sequence[tuple[pd.DataFrame, pd.DataFrame]]


@dataclass(frozen=True)
class Tuning:
    """The chosen `boosting`, and what was tried, as JSON: a dict a trial.

    `reproducible` is False if time, not the number of trials, ended the search.
    """

    boosting: Boosting
    trials: list[dict[str, Any]]
    reproducible: bool


@dataclass(frozen=True)
class _Split:
    """A split, encoded once for all trials: what is learned from, and the later rows that judge it."""

    levels: list[dict[str, Any]]
    encoded: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    later_encoded: np.ndarray
    later_label: np.ndarray
    later_weight: np.ndarray
    later_lead_id: np.ndarray


@dataclass(frozen=True)
class _Later:
    """The later sides of all splits together: loss, weight and lead of each row (n,)."""

    loss: np.ndarray
    weight: np.ndarray
    lead_id: np.ndarray

    def mean(self) -> float:
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
    """The smallest trees within one standard error of the best, by weighted log loss after the splits.

    Trials are proposed by TPE (Bergstra et al. 2011), the first one being the default; one whose loss over the
    splits so far is above the median of the others' is given up.

    Args:
        matrix: has the features of all rows.
        splits: earlier and later rows of each, with label and weight; censored ones (label NaN) are left out.
        features: what the matrix holds.
        trials: how many to try, at least 1.
        seed: of the proposals and of the trees.
        threads: used by LightGBM; the result does not depend on it.
        timeout_s: no trial begins after so many seconds; the result then depends on the machine.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # else Ctrl-C ends in its traceback
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed % 2**32, n_startup_trials=STARTUP_TRIALS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=1),
    )
    study.enqueue_trial(asdict(Boosting()))
    encoded = [_encode(matrix, earlier, later, features) for earlier, later in splits]
    fit = partial(fit_boosted, features=features, seed=seed, threads=threads)
    evaluated: dict[int, _Later] = {}

    def objective(trial: optuna.Trial) -> float:
        boosting = _propose(trial)
        parts: list[_Later] = []
        for step, split in enumerate(encoded):
            parts.append(
                _judge(
                    fit(
                        split.encoded,
                        split.label,
                        split.weight,
                        levels=split.levels,
                        boosting=boosting,
                    ),
                    split,
                )
            )
            trial.report(_pool(parts).mean(), step)
            if step < len(encoded) - 1 and trial.should_prune():
                raise optuna.TrialPruned
        evaluated[trial.number] = _pool(parts)
        return evaluated[trial.number].mean()

    study.optimize(objective, n_trials=1)  # however little time there is
    study.optimize(objective, n_trials=trials - 1, timeout=timeout_s)
    tried = {trial.number: Boosting(**trial.params) for trial in study.trials}
    return Tuning(
        boosting=_choose(tried, evaluated),
        trials=[_describe(trial) for trial in study.trials],
        reproducible=len(study.trials) == trials,
    )


def _propose(trial: optuna.Trial) -> Boosting:
    return Boosting(
        trees=trial.suggest_int("trees", 50, 600, step=50),
        leaves=trial.suggest_int("leaves", 2, 32, log=True),
        l2=trial.suggest_float("l2", 1.0, 100.0, log=True),
        feature_share=trial.suggest_float("feature_share", 0.1, 1.0),
    )


def _encode(
    matrix: Matrix, earlier: pd.DataFrame, later: pd.DataFrame, features: Sequence[Feature]
) -> _Split:
    earlier, later = earlier[earlier["label"].notna()], later[later["label"].notna()]
    label, weight = earlier["label"].to_numpy(), earlier["weight"].to_numpy()
    seen, asked = matrix.take(earlier), matrix.take(later)
    levels = fit_levels(seen, features)
    given = encode(fit_encoder(seen, label, weight, features), asked.columns)
    return _Split(
        levels,
        add_codes(levels, encode_training(seen, label, weight, features), seen.columns),
        label,
        weight,
        add_codes(levels, given, asked.columns),
        later["label"].to_numpy(),
        later["weight"].to_numpy(),
        later["lead_id"].to_numpy(),
    )


def _judge(booster_text: str, split: _Split) -> _Later:
    log_odds = lightgbm.Booster(model_str=booster_text).predict(split.later_encoded, raw_score=True)
    return _Later(
        row_log_loss(sigmoid(np.asarray(log_odds)), split.later_label),
        split.later_weight,
        split.later_lead_id,
    )


def _pool(parts: Sequence[_Later]) -> _Later:
    return _Later(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("loss", "weight", "lead_id")
        )
    )


def _choose(tried: dict[int, Boosting], evaluated: dict[int, _Later]) -> Boosting:
    """The fewest splits among those not clearly worse than the best; of equals the better, then the earlier one."""
    best = min(evaluated, key=lambda number: (evaluated[number].mean(), number))

    def is_as_good(number: int) -> bool:
        worse = evaluated[number].loss - evaluated[best].loss
        error = compute_standard_error(worse, evaluated[best].weight, evaluated[best].lead_id)
        return evaluated[number].mean() - evaluated[best].mean() <= error

    good = [number for number in evaluated if is_as_good(number)]
    return tried[
        min(good, key=lambda number: (tried[number].splits(), evaluated[number].mean(), number))
    ]


def _describe(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """A trial's parameters, log loss (null if it was given up) and on how many splits it was judged."""
    done = trial.state == optuna.trial.TrialState.COMPLETE
    return {
        **trial.params,
        "log_loss": trial.value if done else None,
        "splits": len(trial.intermediate_values),
    }
