"""Scorer and calibrator chosen where nothing is later: nested cross-validation.

For the rows of each fold both are chosen by the other folds: every row is predicted by models that
had not seen it, calibrated by a calibrator fitted on the other folds, and both are of kinds that
the other folds chose. So no row took part in a choice that it evaluates. What is used later is
chosen, and fitted, in the same way on all folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from leadscore.model.apply import calibrate
from leadscore.model.calibration.calibrate import KINDS
from leadscore.model.choose import (
    CALIBRATED_LEADS,
    choose_among,
    comparing_calibrator,
)
from leadscore.model.choose_calibrator import Calibration
from leadscore.model.compare import choose_simplest, row_losses
from leadscore.model.held_out import HeldOut, as_evaluation_set, fit_calibrator_on
from leadscore.results import CalibratorChoice, ScorerChoice

COMPARED_ON = "the other folds"


@dataclass(frozen=True)
class Crossed:
    """How the kind of scorer was chosen, and its calibration."""

    choice: ScorerChoice
    calibration: Calibration

    @property
    def kind(self) -> str:
        """The chosen kind of scorer."""
        return self.choice.kind


def choose_crossed(
    candidates: Mapping[str, HeldOut],
    *,
    calibrators: tuple[str, ...] = KINDS,
) -> Crossed:
    """The scorer and calibrator chosen on the folds of a cross-validation.

    Args:
        candidates: kind of scorer -> predictions of the same rows, in the same folds.
        calibrators: the kinds to choose from, the simplest first.
    """
    folds = {kind: _Folds(held_out.rows()) for kind, held_out in candidates.items()}
    any_candidate = next(iter(candidates.values()))
    comparing = comparing_calibrator(any_candidate, is_later=False)
    if comparing == "none":
        calibrators = calibrators[:1]

    first = next(iter(folds.values()))
    probability = _predict_folds(folds, comparing, calibrators)
    evaluated = as_evaluation_set(first.rows, probability)

    whole = np.ones(len(first.rows), dtype=bool)
    choice = _choose_scorer(folds, whole, comparing)
    calibrator, losses = _choose_calibrator(folds[choice.kind], whole, calibrators)
    held_out = candidates[choice.kind]
    calibration = Calibration(
        to_use=held_out.fit_calibrator(calibrator),
        fitted_on=held_out,
        evaluated=evaluated,
        choice=_describe_calibrator(calibrator, losses, calibrators),
    )
    return Crossed(choice, calibration)


def _predict_folds(
    folds: Mapping[str, _Folds],
    comparing: str,
    calibrators: tuple[str, ...],
) -> np.ndarray:
    """Probabilities (n,) of the rows of each fold, by what the other folds chose and fitted."""
    first = next(iter(folds.values()))
    probability = np.empty(len(first.rows))
    for fold in first.names:
        others = first.others(fold)
        of_kind = folds[_choose_scorer(folds, others, comparing).kind]
        calibrator, _ = _choose_calibrator(of_kind, others, calibrators, without=fold)
        fitted = of_kind.fit(calibrator, frozenset([fold]))
        inside = first.inside(fold)
        probability[inside] = calibrate(fitted, of_kind.log_odds[inside])
    return probability


def _describe_calibrator(
    kind: str,
    losses: Mapping[str, float],
    calibrators: tuple[str, ...],
) -> CalibratorChoice:
    """How the calibrator was chosen."""
    if calibrators == KINDS[:1]:
        why = f"a calibrator needs at least {CALIBRATED_LEADS} leads of either outcome"
        return CalibratorChoice(kind=kind, why=why)
    return CalibratorChoice(kind=kind, log_loss=dict(losses), compared_on=COMPARED_ON)


def calibrate_ahead(
    inner: HeldOut,
    last: HeldOut,
    *,
    calibrators: tuple[str, ...] = KINDS,
) -> Calibration:
    """A calibrator chosen and fitted before the last split, which later leads only evaluate.

    Args:
        inner: what was known at the last split, predicted in folds.
        last: the later leads.
        calibrators: the kinds to choose from, the simplest first.
    """
    calibration = choose_crossed({"": inner}, calibrators=calibrators).calibration
    return replace(calibration, evaluated=last.evaluated(calibration.to_use))


@dataclass
class _Folds:
    """Rows predicted in folds, once a repeat, and the calibrators fitted without some folds.

    Attributes:
        rows: as `HeldOut.rows` gives them; a block is a fold of a repeat.
        fitted: kind and folds left out -> calibrator.
    """

    rows: pd.DataFrame
    fitted: dict[tuple[str, frozenset[int]], dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def log_odds(self) -> np.ndarray:
        return self.rows["log_odds"].to_numpy()

    @cached_property
    def block(self) -> np.ndarray:
        return self.rows["block"].to_numpy()

    @cached_property
    def names(self) -> list[int]:
        return [int(name) for name in np.unique(self.block)]

    @cached_property
    def repeat(self) -> np.ndarray:
        """The repeat (n,) of each row: the rows of one repeat come after those of the other."""
        rows_by_lead = self.rows["lead_id"].value_counts()
        repeats = int(rows_by_lead.iloc[0])
        places = np.arange(repeats)
        return np.repeat(places, len(self.rows) // repeats)

    def inside(self, fold: int) -> np.ndarray:
        """A mask (n,) of the rows of a fold."""
        return np.asarray(self.block == fold)

    def same_repeat(self, fold: int) -> np.ndarray:
        """A mask (n,) of the rows of the repeat that a fold belongs to."""
        repeat = self.repeat[self.inside(fold)][0]
        return np.asarray(self.repeat == repeat)

    def others(self, fold: int) -> np.ndarray:
        """A mask (n,) of the other folds of the same repeat.

        Another repeat does not count: it predicts the fold's own leads as well.
        """
        others = self.same_repeat(fold) & ~self.inside(fold)
        return np.asarray(others)

    def fit(self, kind: str, without: frozenset[int]) -> dict[str, Any]:
        """A calibrator of that kind from the folds of a repeat, but for some."""
        key = kind, without
        if key not in self.fitted:
            mask = self.same_repeat(next(iter(without)))
            for fold in without:
                mask &= ~self.inside(fold)
            self.fitted[key] = fit_calibrator_on(self.rows[mask], kind)
        return self.fitted[key]


def _choose_scorer(folds: Mapping[str, _Folds], mask: np.ndarray, comparing: str) -> ScorerChoice:
    """The kind of scorer to use by the rows of a mask (n,), calibrated on these by `comparing`."""
    evaluated = {}
    for kind, of_kind in folds.items():
        rows = of_kind.rows[mask]
        calibrator = fit_calibrator_on(rows, comparing)
        probability = calibrate(calibrator, of_kind.log_odds[mask])
        evaluated[kind] = as_evaluation_set(rows, probability)
    return choose_among(evaluated, compared_on=COMPARED_ON)


def _choose_calibrator(
    folds: _Folds,
    mask: np.ndarray,
    kinds: tuple[str, ...],
    *,
    without: int | None = None,
) -> tuple[str, dict[str, float]]:
    """The kind of calibrator to use by the rows of a mask (n,), and the mean loss of every kind.

    Each fold is calibrated by the others of the mask; `without` is the fold that the mask lacks.
    """
    if len(kinds) == 1:
        return kinds[0], {}
    rows = folds.rows[mask]
    block = folds.block[mask]
    log_odds = folds.log_odds[mask]
    left_out = frozenset() if without is None else frozenset([without])

    evaluated = {}
    for kind in kinds:
        probability = np.empty(len(rows))
        for fold in np.unique(block):
            inside = block == fold
            calibrator = folds.fit(kind, left_out | {int(fold)})
            probability[inside] = calibrate(calibrator, log_odds[inside])
        evaluated[kind] = as_evaluation_set(rows, probability)
    return choose_simplest(kinds, row_losses(evaluated), evaluated[kinds[0]])
