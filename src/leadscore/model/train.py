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
from leadscore.model.bins import build_bins
from leadscore.model.calibration.interval import fit_interval
from leadscore.model.choose import choose_scorer, missing_leads
from leadscore.model.choose_calibrator import Calibration, choose_calibrator
from leadscore.model.contributions.evidence import build_evidence
from leadscore.model.crossed import calibrate_ahead, choose_crossed
from leadscore.model.evaluate import Choices, EvaluationInputs, evaluate
from leadscore.model.held_out import HeldOut
from leadscore.model.intercept.choice import InterceptResult, add_running_intercept
from leadscore.model.pace.choose import PaceResult, choose_pace
from leadscore.model.periods import compute_drift
from leadscore.model.predict import predict_log_odds
from leadscore.model.proxies import leave_out_proxies
from leadscore.model.sampled import describe_sampled
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.tune import Tuning
from leadscore.model.training import WITH_TREES, Training, open_training
from leadscore.model.tuning import tune_linear, tune_trees
from leadscore.progress import Progress
from leadscore.results import Drift, Evaluation, Learning, ProxyChoice, ScorerChoice, SegmentModels


@dataclass(frozen=True)
class FitResult:
    """What a training gave.

    Attributes:
        model: the trained model; there even if it is refused, for whoever wants to look at it.
        evaluation: how good it is (see docs/metrics.md).
        known_us: the moment K.
        features: what it learned from.
        evaluated: the predictions that evaluated it; None if nothing did.
        training: what it learned from; None if nothing evaluated it.
        held_out: what its calibrator was fitted on; None if nothing evaluated it.
        bins: how the features are distributed, as JSON; None if it learned from nothing.
    """

    model: WinModel
    evaluation: Evaluation
    known_us: int
    features: tuple[Feature, ...]
    evaluated: EvaluationSet | None = None
    training: Training | None = None
    held_out: HeldOut | None = None
    bins: dict[str, Any] | None = None

    @property
    def no_signal(self) -> str | None:
        """Why there is no model to keep; None if there is."""
        return self.evaluation.no_signal


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
    segments: SegmentModels
    pace: PaceResult

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

    Where there is no split, for want of history or of any order, cross-validation evaluates. Only
    facts known before K are used.

    Args:
        history: where the leads are.
        known_us: the moment K.
        progress: is told how far the work is.
        leave_out: fields to do without; the model keeps them.
        time_proxies: fields that say when rather than who; left out unless clearly worth it.

    Raises:
        TooLittleHistoryError: history before K is too short for the horizon, or has too
            few wins or losses.
    """
    opened = open_training(history, known_us=known_us, progress=progress, leave_out=leave_out)

    progress("checking proxies for time", 0, 2)
    training, proxies = leave_out_proxies(opened, time_proxies)
    training = replace(training, linear=tune_linear(training))

    progress("tuning", 0, 2)
    tried = _try_scorers(training)

    progress("evaluating", 0, 1)
    return _finish(training, tried, proxies)


def _finish(training: Training, tried: _Tried, proxies: ProxyChoice) -> FitResult:
    """The chosen scorer, fitted and evaluated."""
    fitted = _fit_chosen(training, tried)
    return FitResult(
        model=fitted.model,
        evaluation=_evaluate(training, tried, fitted, proxies=proxies),
        known_us=training.side.known_us,
        features=training.features,
        evaluated=fitted.calibration.evaluated,
        training=training,
        held_out=fitted.calibration.fitted_on,
        bins=build_bins(training.matrix, training.side.rows, training.features),
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

    rows = training.side.rows
    scorer = training.fit(choice.kind, rows, boosting=tried.boosting)
    segmented = training.divide(tried.candidates[choice.kind], scorer)
    held_out = segmented.held_out
    if calibration is None:
        calibration = _calibrate(training, held_out)
    known_us = training.side.known_us
    intercept = add_running_intercept(
        training.history, held_out, training.moments, calibration, known_us=known_us
    )
    pace = choose_pace(training)
    model = _complete(training, scorer, intercept, pace, segments=segmented.segments)
    return _Fitted(choice, model, intercept, segmented.report, pace)


def _calibrate(training: Training, held_out: Mapping[str, HeldOut]) -> Calibration:
    """The calibration that the splits before the last choose."""
    if "inner" in held_out and not training.history.settings.is_dated:
        return calibrate_ahead(held_out["inner"], held_out["last"])
    return choose_calibrator(held_out)


def _complete(
    training: Training,
    scorer: WinModel,
    intercept: InterceptResult,
    pace: PaceResult,
    *,
    segments: dict[str, Any],
) -> WinModel:
    """A fitted scorer with all that goes with it: calibrator, interval, reference, pace, evidence."""
    calibration = intercept.calibration
    settings = training.history.settings
    within_days = settings.target.horizon_days if settings.is_dated else None
    matrix = training.matrix
    rows = training.side.rows
    interval = fit_interval(calibration.fitted_on, calibration.to_use, seed=settings.seed)
    document = scorer.document | {
        "segments": segments,
        "calibrator": calibration.to_use,
        "interval": interval,
        "reference": build_reference(calibration.evaluated),
        "left_out": sorted(training.left_out),
        **intercept.document,
        **pace.document,
        "evidence": build_evidence(
            scorer, matrix, rows, training.features, within_days=within_days
        ),
    }
    return WinModel(document, scorer.booster_text)


def _evaluate(
    training: Training,
    tried: _Tried,
    fitted: _Fitted,
    *,
    proxies: ProxyChoice,
) -> Evaluation:
    """How good the model is, and how everything about it was chosen."""
    calibration = fitted.calibration
    splits = dict(zip(training.moments, training.earlier, strict=True))
    inputs = EvaluationInputs(
        history=training.history,
        known_us=training.side.known_us,
        side=training.side,
        splits=splits,
        last=training.last(),
        evaluated=calibration.evaluated,
        reference=fitted.model.document["reference"],
        scorecard=training.scorecard_of_evaluated(),
        segment=training.segment_of_evaluated(),
        basis=training.basis(),
    )
    choices = Choices(
        scorer=_describe_scorer(training, tried, fitted, proxies=proxies),
        calibrator=calibration.choice,
        times=fitted.intercept.choice,
        pace=fitted.pace.choice,
        learning=_compute_learning(training, tried, kind=fitted.choice.kind),
        drift=_compute_drift(training, calibration),
    )
    return evaluate(inputs, choices)


def _compute_drift(training: Training, calibration: Calibration) -> Drift | None:
    return compute_drift(
        calibration.fitted_on,
        calibration.to_use,
        calibration.evaluated,
        history=training.history,
        moments=training.moments,
    )


def _describe_scorer(
    training: Training,
    tried: _Tried,
    fitted: _Fitted,
    *,
    proxies: ProxyChoice,
) -> ScorerChoice:
    """The choice of the scorer, with what it rests on."""
    won, others = training.side.count_leads()
    tuning = tried.tuning
    is_reproducible = tuning is None or tuning.reproducible
    if training.is_crossed and training.limit.is_over():
        is_reproducible = False  # some folds may not have been tuned
    described = {
        "tried": tried.kinds,
        "leads_won": won,
        "leads_not_won": others,
        "missing_leads": missing_leads(won, others),
        "trials": tuning.trials if tuning else [],
        "reproducible": is_reproducible,
        "segments": fitted.segments,
        "clocks": proxies,
    }
    trials = tuning.sampled if tuning else ()
    sampled = describe_sampled(training.learned, training.earlier, trials=trials)
    if sampled:
        described["sampled"] = sampled
    return fitted.choice.model_copy(update=described)


def _compute_learning(training: Training, tried: _Tried, *, kind: str) -> Learning | None:
    """The learning curve at the last split; None without one, or if the scorer learns nothing."""
    if not training.moments or kind == "scorecard":
        return None
    last = training.pools["last"]
    observed = last.rows[last.observed]
    held_out = training.matrix.take(observed)

    def learn(rows: pd.DataFrame) -> np.ndarray:
        fitted = training.fit(kind, rows, boosting=tried.boosting)
        return predict_log_odds(fitted, held_out)

    return compute_learning(
        training.earlier[-1],
        last,
        log_odds=tried.candidates[kind]["last"].log_odds,
        learn=learn,
        seed=training.history.settings.seed,
    )
