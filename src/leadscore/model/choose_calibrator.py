"""Which calibrator to use, by the splits before the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.model.calibration.calibrate import KINDS
from leadscore.model.compare import COMPARED_ON, choose_simplest, row_losses
from leadscore.model.held_out import MIN_SPLITS, HeldOut, can_choose
from leadscore.results import CalibratorChoice


@dataclass(frozen=True)
class Calibration:
    """The calibrator to use, and predictions calibrated by one that knows nothing of their rows.

    Attributes:
        to_use: the calibrator of the model, as JSON.
        fitted_on: the rows that it was fitted on.
        evaluated: the rows of the last split, calibrated by what was known before them.
        choice: how the kind was chosen.
    """

    to_use: dict[str, Any]
    fitted_on: HeldOut
    evaluated: EvaluationSet
    choice: CalibratorChoice


def choose_calibrator(held_out: Mapping[str, HeldOut]) -> Calibration:
    """The calibrator chosen on all splits but the last, which only evaluates it.

    By log loss, cross-validated by lead, it is the simplest kind within one standard error of the
    best. It is fitted on the splits before the last to be evaluated, and on all to be used. With
    too few splits there is no choice, and predictions are not calibrated.

    Args:
        held_out: pool -> predictions of rows that the scorer had not seen (see `build_pools`).
    """
    last = held_out["last"]
    if not can_choose(held_out):
        none = last.fit_calibrator("none")
        choice = CalibratorChoice(kind="none", why=_describe_why_none(held_out))
        return Calibration(none, last, last.evaluated(none), choice)

    before = held_out["before"]
    whole = held_out["whole"]
    cross_calibrated = {kind: before.cross_calibrated(kind) for kind in KINDS}
    losses = row_losses(cross_calibrated)
    kind, mean = choose_simplest(KINDS, losses, cross_calibrated["none"])
    choice = CalibratorChoice(kind=kind, log_loss=mean, compared_on=COMPARED_ON["before"])
    return Calibration(
        to_use=whole.fit_calibrator(kind),
        fitted_on=whole,
        evaluated=last.evaluated(before.fit_calibrator(kind)),
        choice=choice,
    )


def _describe_why_none(held_out: Mapping[str, HeldOut]) -> str:
    if "before" not in held_out:
        return f"fewer than {MIN_SPLITS} splits have enough follow-up on both sides"
    if held_out["before"].side.is_watched_enough():
        return "the splits before the last one have leads of one outcome only"
    return "the splits before the last one together lack follow-up"
