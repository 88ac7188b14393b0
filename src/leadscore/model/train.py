"""Training at a moment K: rolling splits; scorer and calibrator chosen out of time; evidence against the base rate.

Only facts known before K are used, so the same function serves training today and a back-test in the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.reference import build_reference
from leadscore.features.feature import Feature
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.labels import Side
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.calibration.interval import fit_interval, prior_interval
from leadscore.model.choose import (
    Calibration,
    choose_calibrator,
    choose_scorer,
    missing_leads,
)
from leadscore.model.contributions.evidence import build_evidence
from leadscore.model.crossed import calibrate_ahead, choose_crossed
from leadscore.model.fit import fit_scorer
from leadscore.model.held_out import HeldOut
from leadscore.model.intercept.choice import InterceptResult, add_running_intercept
from leadscore.model.judge import evaluate, evaluate_unjudged
from leadscore.model.periods import describe_drift
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.tune import Tuning
from leadscore.model.training import WITH_TREES, Training, open_training
from leadscore.progress import Progress
from leadscore.wording import counted

STATED_LEADS = 10  # closed leads that the stated base rate is worth beside those that were seen
UNJUDGED = {
    "low": 0.005,
    "high": 0.995,
}  # a scorecard that nothing has confirmed is never nearly sure


@dataclass(frozen=True)
class FitResult:
    """What a training gave.

    `evaluation` is JSON (see docs/metrics.md). `no_signal` is None, or why there is no model to keep; the model
    that was refused is there all the same, for whoever wants to look at it. `evaluated` are the predictions that judged
    it, `training` is what it learned from, and `held_out` what its calibrator was fitted on; None if nothing judged it.
    """

    model: WinModel
    evaluation: dict[str, Any]
    known_us: int
    features: tuple[Feature, ...]
    no_signal: str | None
    evaluated: EvaluationSet | None = None
    training: Training | None = None
    held_out: HeldOut | None = None


def fit_model(
    history: History,
    *,
    known_us: int,
    progress: Progress,
    leave_out: AbstractSet[str] = frozenset(),
    clocks: AbstractSet[str] = frozenset(),
) -> FitResult:
    """Train as of `known_us` (K), and judge on the last split, which no choice had looked at.

    The model keeps which fields it does without, so that scoring builds the same features: those to `leave_out`, and
    those of `clocks`, which say when rather than who, unless they are clearly worth it.
    Where there is no split, be it for want of history or of any order, cross-validation judges instead.

    Raises:
        FollowUpError: history before K is too short for the horizon.
        TooFewOutcomesError: it has too few wins or losses.
    """
    opened = open_training(history, known_us=known_us, progress=progress, leave_out=leave_out)
    progress("looking at clocks", 0, 2)
    training, doubted = opened.doubt(clocks)
    training = replace(training, linear=training.tune_linear())
    side, kinds = training.side, training.kinds()
    progress("tuning", 0, 2)
    tuning = training.tune() if set(WITH_TREES) & set(kinds) else None
    boosting = tuning.boosting if tuning else Boosting()
    in_folds = (
        None if training.is_crossed else boosting
    )  # a fold's rows must not have chosen what predicts them
    candidates: dict[str, dict[str, HeldOut]] = {}
    for kind in kinds:
        if kind == "average" and len(kinds) > 1:  # its halves are there already
            halves = candidates["logistic"], candidates["boosted"]
            candidates[kind] = {
                pool: rows.averaged(halves[1][pool]) for pool, rows in halves[0].items()
            }
        else:
            candidates[kind] = training.predict(kind, boosting=in_folds)
    crossed = None
    if training.is_crossed:
        crossed = choose_crossed({kind: pools["last"] for kind, pools in candidates.items()})
    progress("evaluating", 0, 1)
    kind, choice = (crossed.kind, crossed.choice) if crossed else choose_scorer(candidates)
    model, segments, timed = _complete(
        training,
        kind,
        candidates[kind],
        boosting=boosting,
        calibration=crossed.calibration if crossed else None,
    )
    calibration = timed.calibration
    evaluated = calibration.evaluated
    evaluation = evaluate(
        history,
        evaluated,
        known_us=known_us,
        side=side,
        last=training.last(),
        splits=dict(zip(training.moments, training.earlier, strict=True)),
        reference=model.document["reference"],
        scorecard=training.scorecard_of_evaluated(),
        segment=training.segment_of_evaluated(),
        basis=training.basis(),
    )
    evaluation |= {
        "learning": training.learn_in_parts(kind, candidates, boosting=boosting),
        "scorer": choice
        | _describe_scorer(training, kinds, tuning)
        | {"segments": segments, "clocks": doubted},
        "calibrator": calibration.choice,
        "drift": describe_drift(
            calibration.fitted_on,
            calibration.to_use,
            evaluated,
            history=history,
            moments=training.moments,
        ),
        "times": timed.choice,
    }
    return FitResult(
        model,
        evaluation,
        known_us,
        training.features,
        evaluation["no_signal"],
        evaluated=evaluated,
        training=training,
        held_out=calibration.fitted_on,
    )


def _complete(
    training: Training,
    kind: str,
    held_out: Mapping[str, HeldOut],
    *,
    boosting: Boosting,
    calibration: Calibration | None,
) -> tuple[WinModel, dict[str, Any], InterceptResult]:
    """The model of a kind with all that goes with it, what is told of segments, and how it is calibrated.

    Without a `calibration` it is chosen by the splits before the last.
    """
    side = training.side
    model = training.fit(kind, side.rows, boosting=boosting)
    segmented = training.divide(held_out, model)
    held_out = segmented.held_out
    if calibration is None and "inner" in held_out and not training.history.settings.is_dated:
        calibration = calibrate_ahead(held_out["inner"], held_out["last"])
    calibration = calibration or choose_calibrator(held_out)
    timed = add_running_intercept(
        training.history, held_out, training.moments, calibration, known_us=side.known_us
    )
    calibration = timed.calibration
    document = model.document | {
        "segments": segmented.segments,
        "calibrator": calibration.to_use,
        "interval": fit_interval(
            calibration.fitted_on, calibration.to_use, seed=training.history.settings.seed
        ),
        "reference": build_reference(calibration.evaluated),
        "left_out": sorted(training.left_out),
        **timed.document,
        "evidence": build_evidence(model, training.matrix, side.rows, training.features),
    }
    return WinModel(document, model.booster_text), segmented.report, timed


def _describe_scorer(training: Training, kinds: list[str], tuning: Tuning | None) -> dict[str, Any]:
    """What the choice of the scorer rests on, as JSON."""
    won, others = training.side.count_leads()
    may_be_cut_short = (
        training.is_crossed and training.limit.is_over()
    )  # then some folds may not have been tuned
    return {
        "tried": kinds,
        "leads_won": won,
        "leads_not_won": others,
        "missing_leads": missing_leads(won, others),
        "trials": tuning.trials if tuning else [],
        "reproducible": (tuning.reproducible if tuning else True) and not may_be_cut_short,
    }


def fit_scorecard(
    history: History, *, known_us: int, why: str, leave_out: AbstractSet[str] = frozenset()
) -> FitResult:
    """The scorecard of the settings, where history as of `known_us` cannot be learned from; `why` says so.

    Nothing judges it, so its intervals are as wide as its own doubt, and its scores compare the leads open then. Its
    level is the base rate of the settings, drawn to the win rate of the leads that have closed, where that is known.
    """
    features = tuple(build_features(history.settings, leave_out=leave_out))
    side = history.earlier_side(known_us)
    asked = history.open_list(known_us)
    matrix = build_matrix(history.snapshot(asked), features)
    rate = _expected_rate(side, history.settings.scorecard.base_rate)
    points = history.settings.scorecard.model_copy(update={"base_rate": rate})
    card = fit_scorer(
        matrix,
        side.rows.iloc[:0],
        kind="scorecard",
        features=features,
        scorecard=points,
        seed=0,
        threads=1,
    )
    probability = (
        card.probability(card.log_odds(matrix.columns)) if len(asked) else np.array([rate])
    )
    open_leads = EvaluationSet(
        probability,
        np.zeros(len(probability)),
        np.ones(len(probability)),
        np.arange(len(probability)),
    )
    document = card.document | {
        "calibrator": {"kind": "none", **UNJUDGED},
        "interval": prior_interval(),
        "reference": build_reference(open_leads),
        "left_out": sorted(leave_out),
    }
    evaluation = evaluate_unjudged(history, known_us=known_us, side=side)
    won, others = side.count_leads()
    scorer = {
        "kind": "scorecard",
        "why": why,
        "tried": ["scorecard"],
        "leads_won": won,
        "leads_not_won": others,
        "missing_leads": missing_leads(won, others),
        "trials": [],
        "reproducible": True,
        "segments": {},
        "clocks": {},
        "ranks": bool(np.ptp(probability) > 0),
    }
    calibrator = {"kind": "none", "why": _uncalibrated(won + others, rate)}
    return FitResult(
        model=WinModel(document),
        evaluation=evaluation | {"scorer": scorer, "calibrator": calibrator},
        known_us=known_us,
        features=features,
        no_signal=None,
    )


def _expected_rate(side: Side, stated: float) -> float:
    """The win rate of a side, drawn to the stated one as by `STATED_LEADS` leads more; the stated one if unknown."""
    won, others = side.count_leads()
    if not (side.is_watched_enough() and won + others):
        return stated
    known = side.base_rate() * (won + others)
    return float((known + STATED_LEADS * stated) / (won + others + STATED_LEADS))


def _uncalibrated(closed: int, rate: float) -> str:
    if not closed:
        return "there are no closed leads to calibrate by"
    return f"{counted(closed, 'closed lead')} cannot calibrate it; it expects {rate:.1%} of the leads to be won"
