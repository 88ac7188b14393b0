"""Training at a moment K: scorer and calibrator chosen on earlier splits, evaluated on the last.

Only facts known before K are used, so the same function serves training today and a back-test in
the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.learning import compute_learning
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.reference import build_reference
from leadscore.features.feature import Feature
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.calibration.interval import fit_interval
from leadscore.model.choose import ScorerChoice, choose_scorer, missing_leads
from leadscore.model.choose_calibrator import Calibration, choose_calibrator
from leadscore.model.contributions.evidence import build_evidence
from leadscore.model.crossed import calibrate_ahead, choose_crossed
from leadscore.model.evaluate import EvaluationInputs, evaluate
from leadscore.model.held_out import HeldOut
from leadscore.model.intercept.choice import InterceptResult, add_running_intercept
from leadscore.model.periods import describe_drift
from leadscore.model.proxies import leave_out_proxies
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.tune import Tuning
from leadscore.model.training import WITH_TREES, Training, open_training
from leadscore.model.tuning import tune_linear, tune_trees
from leadscore.progress import Progress

Json = dict[str, Any]


@dataclass(frozen=True)
class FitResult:
    """What a training gave.

    Attributes:
        model: the trained model; there even if it is refused, for whoever wants to look at it.
        evaluation: how good it is, as JSON (see docs/metrics.md).
        known_us: the moment K.
        features: what it learned from.
        no_signal: why there is no model to keep; None if there is.
        evaluated: the predictions that evaluated it; None if nothing did.
        training: what it learned from; None if nothing evaluated it.
        held_out: what its calibrator was fitted on; None if nothing evaluated it.
    """

    model: WinModel
    evaluation: Json
    known_us: int
    features: tuple[Feature, ...]
    no_signal: str | None
    evaluated: EvaluationSet | None = None
    training: Training | None = None
    held_out: HeldOut | None = None


@dataclass(frozen=True)
class _Tried:
    """The scorers tried: kind -> pool -> held-out predictions, and how trees were tuned."""

    candidates: Mapping[str, Mapping[str, HeldOut]]
    tuning: Tuning | None

    @property
    def boosting(self) -> Boosting:
        """The size of the trees."""
        return self.tuning.boosting if self.tuning else Boosting()

    @property
    def kinds(self) -> list[str]:
        """The kinds that were tried, the simplest first."""
        return list(self.candidates)


@dataclass(frozen=True)
class _Fitted:
    """The chosen model, how it is calibrated, and what is said of its segments."""

    choice: ScorerChoice
    model: WinModel
    intercept: InterceptResult
    segments: Json

    @property
    def calibration(self) -> Calibration:
        """The calibration, with the running intercept if there is one."""
        return self.intercept.calibration


def fit_model(
    history: History,
    *,
    known_us: int,
    progress: Progress,
    leave_out: AbstractSet[str] = frozenset(),
    time_proxies: AbstractSet[str] = frozenset(),
) -> FitResult:
    """A model trained as of `known_us` (K), evaluated on the last split, which made no choice.

    Where there is no split, for want of history or of any order, cross-validation evaluates. The
    model keeps which fields it does without, so that scoring builds the same features.

    Args:
        history: where the leads are.
        known_us: the moment K; only facts known before it are used.
        progress: is told how far the work is.
        leave_out: fields to do without.
        time_proxies: fields that say when rather than who; left out unless clearly worth it.

    Raises:
        FollowUpError: history before K is too short for the horizon.
        TooFewOutcomesError: it has too few wins or losses.
    """
    opened = open_training(history, known_us=known_us, progress=progress, leave_out=leave_out)
    progress("checking proxies for time", 0, 2)
    training, proxies = leave_out_proxies(opened, time_proxies)
    training = replace(training, linear=tune_linear(training))

    progress("tuning", 0, 2)
    tried = _try_scorers(training)

    progress("evaluating", 0, 1)
    fitted = _fit_chosen(training, tried)
    evaluation = _evaluate(training, tried, fitted, proxies=proxies)
    return FitResult(
        model=fitted.model,
        evaluation=evaluation,
        known_us=known_us,
        features=training.features,
        no_signal=evaluation["no_signal"],
        evaluated=fitted.calibration.evaluated,
        training=training,
        held_out=fitted.calibration.fitted_on,
    )


def _try_scorers(training: Training) -> _Tried:
    """Held-out predictions of every kind of scorer that there are enough leads for."""
    kinds = training.kinds()
    tuning = tune_trees(training) if set(WITH_TREES) & set(kinds) else None
    boosting = None
    if not training.is_crossed:  # else trees are tuned within each fold, without its own rows
        boosting = tuning.boosting if tuning else Boosting()

    candidates: dict[str, dict[str, HeldOut]] = {}
    for kind in kinds:
        if kind == "average" and len(kinds) > 1:  # its halves are predicted already
            candidates[kind] = _average(candidates["logistic"], candidates["boosted"])
        else:
            candidates[kind] = training.predict(kind, boosting=boosting)
    return _Tried(candidates, tuning)


def _average(logistic: Mapping[str, HeldOut], boosted: Mapping[str, HeldOut]) -> dict[str, HeldOut]:
    return {pool: rows.averaged(boosted[pool]) for pool, rows in logistic.items()}


def _fit_chosen(training: Training, tried: _Tried) -> _Fitted:
    """The scorer that the earlier splits choose, fitted on all of history and calibrated."""
    calibration = None
    if training.is_crossed:
        last = {kind: pools["last"] for kind, pools in tried.candidates.items()}
        crossed = choose_crossed(last)
        choice, calibration = crossed.choice, crossed.calibration
    else:
        choice = choose_scorer(tried.candidates)

    scorer = training.fit(choice.kind, training.side.rows, boosting=tried.boosting)
    segmented = training.divide(tried.candidates[choice.kind], scorer)
    held_out = segmented.held_out
    if calibration is None:
        calibration = _calibrate(training, held_out)
    known_us = training.side.known_us
    intercept = add_running_intercept(
        training.history, held_out, training.moments, calibration, known_us=known_us
    )
    model = _complete(training, scorer, intercept, segments=segmented.segments)
    return _Fitted(choice, model, intercept, segmented.report)


def _calibrate(training: Training, held_out: Mapping[str, HeldOut]) -> Calibration:
    """The calibration that the splits before the last choose."""
    if "inner" in held_out and not training.history.settings.is_dated:
        return calibrate_ahead(held_out["inner"], held_out["last"])
    return choose_calibrator(held_out)


def _complete(
    training: Training,
    scorer: WinModel,
    intercept: InterceptResult,
    *,
    segments: Json,
) -> WinModel:
    """A fitted scorer with all that goes with it: calibrator, interval, reference, evidence."""
    calibration = intercept.calibration
    seed = training.history.settings.seed
    document = scorer.document | {
        "segments": segments,
        "calibrator": calibration.to_use,
        "interval": fit_interval(calibration.fitted_on, calibration.to_use, seed=seed),
        "reference": build_reference(calibration.evaluated),
        "left_out": sorted(training.left_out),
        **intercept.document,
        "evidence": build_evidence(scorer, training.matrix, training.side.rows, training.features),
    }
    return WinModel(document, scorer.booster_text)


def _evaluate(training: Training, tried: _Tried, fitted: _Fitted, *, proxies: Json) -> Json:
    """How good the model is, and how everything about it was chosen, as JSON."""
    calibration = fitted.calibration
    inputs = EvaluationInputs(
        history=training.history,
        known_us=training.side.known_us,
        side=training.side,
        splits=dict(zip(training.moments, training.earlier, strict=True)),
        last=training.last(),
        evaluated=calibration.evaluated,
        reference=fitted.model.document["reference"],
        scorecard=training.scorecard_of_evaluated(),
        segment=training.segment_of_evaluated(),
        basis=training.basis(),
    )
    drift = describe_drift(
        calibration.fitted_on,
        calibration.to_use,
        calibration.evaluated,
        history=training.history,
        moments=training.moments,
    )
    return {
        **evaluate(inputs),
        "learning": _compute_learning(training, tried, kind=fitted.choice.kind),
        "scorer": {
            **fitted.choice.as_json(),
            **_describe_tried(training, tried),
            "segments": fitted.segments,
            "clocks": proxies,
        },
        "calibrator": calibration.choice,
        "drift": drift,
        "times": fitted.intercept.choice,
    }


def _describe_tried(training: Training, tried: _Tried) -> Json:
    """What the choice of the scorer rests on, as JSON."""
    won, others = training.side.count_leads()
    tuning = tried.tuning
    is_reproducible = tuning is None or tuning.reproducible
    if training.is_crossed and training.limit.is_over():
        is_reproducible = False  # some folds may not have been tuned
    return {
        "tried": tried.kinds,
        "leads_won": won,
        "leads_not_won": others,
        "missing_leads": missing_leads(won, others),
        "trials": tuning.trials if tuning else [],
        "reproducible": is_reproducible,
    }


def _compute_learning(training: Training, tried: _Tried, *, kind: str) -> Json | None:
    """The learning curve at the last split; None without one, or if the scorer learns nothing."""
    if not training.moments or kind == "scorecard":
        return None
    last = training.pools["last"]
    columns = training.matrix.take(last.rows[last.observed]).columns

    def learn(rows: pd.DataFrame) -> np.ndarray:
        return training.fit(kind, rows, boosting=tried.boosting).log_odds(columns)

    return compute_learning(
        training.earlier[-1],
        last,
        log_odds=tried.candidates[kind]["last"].log_odds,
        learn=learn,
        seed=training.history.settings.seed,
    )
