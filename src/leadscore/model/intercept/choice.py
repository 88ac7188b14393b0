"""Whether a model has a running intercept, and with which half-life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.evaluation.metrics import METRICS, EvaluationSet
from leadscore.history.split import History
from leadscore.model.apply import calibrate, logit
from leadscore.model.calibration.calibrate import KINDS
from leadscore.model.choose_calibrator import Calibration
from leadscore.model.compare import COMPARED_ON, choose_simplest
from leadscore.model.held_out import HeldOut, can_choose
from leadscore.model.intercept.past import Past, unit_of
from leadscore.model.intercept.replay import Comparison, Variant, replay
from leadscore.model.intercept.running import build_running_intercept, evaluate_with_intercept
from leadscore.results import CalibratorChoice, RunningIntercept

HALF_LIVES = {"days": (365, 120, 30, 10), "leads": (3000, 1000, 300, 100)}
BESIDE = ("none", "sigmoid")  # also tried: a level that is renewed needs less of a calibrator
BESIDE_METRICS = ("log_loss", "brier", "pooled_auc", "bias")  # also shown without the shift
RULE = "the simplest that is not clearly worse together with the running intercept"


@dataclass(frozen=True)
class HalfLifeChoice:
    """The half-life to use, None for no shift.

    Attributes:
        half_life: in the history's unit.
        calibrator: the kind that goes with it.
        choice: how it was chosen.
    """

    half_life: int | None
    calibrator: str
    choice: RunningIntercept


@dataclass(frozen=True)
class InterceptResult:
    """A calibration with or without a running intercept.

    Attributes:
        calibration: the calibrator and its evaluation.
        document: what the model's JSON keeps of the running intercept: `times`, or nothing.
        choice: how the half-life was chosen.
    """

    calibration: Calibration
    document: dict[str, Any]
    choice: RunningIntercept


def add_running_intercept(
    history: History,
    held_out: Mapping[str, HeldOut],
    moments: Sequence[int],
    calibration: Calibration,
    *,
    known_us: int,
) -> InterceptResult:
    """The calibration with a running intercept, if that is clearly better, evaluated with it.

    Args:
        history: where the leads are.
        held_out: pool -> held-out predictions.
        moments: the splits.
        calibration: what was chosen without a shift.
        known_us: up to when facts are known.
    """
    chosen = choose_half_life(history, held_out, moments, calibrator=calibration.choice.kind)
    half_life = chosen.half_life
    if half_life is None:
        return InterceptResult(calibration, {}, chosen.choice)

    shifted = _calibrate_with_intercept(
        history,
        calibration,
        held_out,
        kind=chosen.calibrator,
        half_life=half_life,
    )
    whole = held_out["whole"]
    times = build_running_intercept(
        Past(history, whole.side.rows),
        logit(calibrate(shifted.to_use, whole.log_odds)),
        from_us=moments[0],
        known_us=known_us,
        half_life=half_life,
    )
    summary = _summarise(times, without=calibration.evaluated)
    choice = chosen.choice.model_copy(update=summary)
    return InterceptResult(shifted, {"times": times}, choice)


def _summarise(times: Mapping[str, Any], *, without: EvaluationSet) -> dict[str, Any]:
    """What is reported of a running intercept, with the metrics without it."""
    return {
        "shift": times["shift"],
        "without": {name: _measure(without, name) for name in BESIDE_METRICS},
        "summary": (
            f"half-life {times['half_life']} {times['unit']}, "
            f"{times['shift']:+.2f} log-odds when trained"
        ),
    }


def _calibrate_with_intercept(
    history: History,
    calibration: Calibration,
    held_out: Mapping[str, HeldOut],
    *,
    kind: str,
    half_life: int,
) -> Calibration:
    """A calibration by a calibrator of a kind, evaluated with the shifts of the last split."""
    whole = held_out["whole"]
    fitted_before_last = held_out["before"].fit_calibrator(kind)
    evaluated = evaluate_with_intercept(history, held_out, fitted_before_last, half_life=half_life)
    compared_on = calibration.choice.compared_on
    choice = CalibratorChoice(kind=kind, rule=RULE, compared_on=compared_on)
    return Calibration(whole.fit_calibrator(kind), whole, evaluated, choice)


def _measure(evaluated: EvaluationSet, name: str) -> float:
    return METRICS[name](evaluated.probability, evaluated.label, evaluated.weight)


def choose_half_life(
    history: History,
    held_out: Mapping[str, HeldOut],
    moments: Sequence[int],
    *,
    calibrator: str,
) -> HalfLifeChoice:
    """The half-life with the lowest log loss, if clearly better than no shift, else None.

    Half-lives are compared on the splits before the last, each prediction made with what was known
    at the time. The calibrator of a half-life is the simplest that is not clearly worse.

    Args:
        history: where the leads are.
        held_out: pool -> held-out predictions.
        moments: the splits.
        calibrator: the kind that was chosen without a shift.
    """
    unit = unit_of(history)
    if unit is None:
        return _choose_none(calibrator, _why_no_unit(history))
    if not can_choose(held_out):
        return _choose_none(calibrator, "there is no earlier split to choose by")

    kinds = [kind for kind in KINDS if kind in {*BESIDE, calibrator}]
    half_lives = HALF_LIVES[unit]
    comparison = replay(history, held_out["before"], moments, kinds=kinds, half_lives=half_lives)
    if not len(comparison.rows.label):
        return _choose_none(calibrator, "hardly any outcome was known before the last split")

    without = [Variant(kind) for kind in kinds]
    plain = min(without, key=comparison.mean)
    shifted = [_choose_calibrator(comparison, kinds, half_life) for half_life in half_lives]
    best = min(shifted, key=comparison.mean)
    compared = {"unit": unit, **_report(comparison, plain, shifted)}
    if not comparison.is_better(best, plain):
        return _choose_none(calibrator, "it would not clearly help", compared)
    summary = f"half-life {best.half_life} {unit}"
    choice = RunningIntercept(half_life=best.half_life, summary=summary, **compared)
    return HalfLifeChoice(best.half_life, best.calibrator, choice)


def _report(
    comparison: Comparison,
    plain: Variant,
    shifted: Sequence[Variant],
) -> dict[str, Any]:
    """The log loss without a shift and with each half-life, and the leads they were compared on."""
    log_loss = {"none": comparison.mean(plain)}
    for variant in shifted:
        log_loss[str(variant.half_life)] = comparison.mean(variant)
    return {
        "log_loss": log_loss,
        "compared_on": COMPARED_ON["before"],
        "leads": len(np.unique(comparison.rows.lead_id)),
    }


def _choose_calibrator(
    comparison: Comparison,
    kinds: list[str],
    half_life: int,
) -> Variant:
    """The variant of a half-life with the simplest calibrator that is not clearly worse."""
    losses = {}
    for kind in kinds:
        losses[kind] = comparison.losses[Variant(kind, half_life)]
    kind, _ = choose_simplest(kinds, losses, comparison.rows)
    return Variant(kind, half_life)


def _choose_none(
    calibrator: str,
    why: str,
    compared: Mapping[str, Any] | None = None,
) -> HalfLifeChoice:
    summary = f"none, since {why}"
    choice = RunningIntercept(half_life=None, summary=summary, **(compared or {}))
    return HalfLifeChoice(None, calibrator, choice)


def _why_no_unit(history: History) -> str:
    if history.settings.time == "ordered":
        return "model.outcome_delay does not say after how many leads an outcome is known"
    return "the order of the leads is not known"
