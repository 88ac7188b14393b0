"""Scorer and calibrator chosen where nothing is later: for the rows of each fold by those of the other folds.

Every row is predicted by models that had not seen it (cross-validation), calibrated by a calibrator that was fitted
on the other folds, and both are of kinds that the other folds chose. So no row that judges took part in a choice that
it judges. What is used later is chosen, and fitted, in the same way on all folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet, row_log_loss
from leadscore.model.apply import calibrate
from leadscore.model.calibration.calibrate import KINDS, fit_calibrator
from leadscore.model.choose import (
    CALIBRATED_LEADS,
    Calibration,
    choose_among,
    choose_simplest,
    comparing_calibrator,
)
from leadscore.model.held_out import HeldOut, as_evaluation_set

COMPARED_ON = "the other folds"


@dataclass(frozen=True)
class Crossed:
    """The chosen kind of scorer, how it was chosen, and its calibration."""

    kind: str
    choice: dict[str, Any]
    calibration: Calibration


def choose_crossed(
    candidates: Mapping[str, HeldOut], *, calibrators: tuple[str, ...] = KINDS
) -> Crossed:
    """Choose on the folds of a cross-validation.

    Args:
        candidates: kind of scorer -> predictions of the same rows, in the same folds.
        calibrators: the kinds to choose from, the simplest first.
    """
    folds = {kind: _Folds(held_out.rows()) for kind, held_out in candidates.items()}
    first = next(iter(folds.values()))
    comparing = comparing_calibrator(next(iter(candidates.values())), is_later=False)
    if comparing == "none":
        calibrators = calibrators[:1]
    probability = np.empty(len(first.rows))
    for fold in first.names:
        others = first.others(fold)
        kind, _ = _choose_scorer(folds, others, comparing)
        calibrator = _choose_calibrator(folds[kind], others, calibrators, without=fold)[0]
        asked = first.inside(fold)
        fitted = folds[kind].fit(calibrator, frozenset([fold]))
        probability[asked] = calibrate(fitted, folds[kind].log_odds[asked])
    whole = np.ones(len(first.rows), dtype=bool)
    kind, choice = _choose_scorer(folds, whole, comparing)
    calibrator, losses = _choose_calibrator(folds[kind], whole, calibrators)
    told: dict[str, Any] = {"kind": calibrator, "log_loss": losses, "compared_on": COMPARED_ON}
    if len(calibrators) == 1 and calibrators == KINDS[:1]:
        told = {
            "kind": calibrator,
            "why": f"it takes at least {CALIBRATED_LEADS} leads of either outcome",
        }
    calibration = Calibration(
        to_use=candidates[kind].fit_calibrator(calibrator),
        fitted_on=candidates[kind],
        evaluated=as_evaluation_set(first.rows, probability),
        choice=told,
    )
    return Crossed(kind, choice, calibration)


def calibrate_ahead(
    inner: HeldOut, last: HeldOut, *, calibrators: tuple[str, ...] = KINDS
) -> Calibration:
    """A calibrator from `inner`, what was known at the last split in folds, which later leads (`last`) only judge."""
    found = choose_crossed({"": inner}, calibrators=calibrators).calibration
    return replace(found, evaluated=last.evaluated(found.to_use))


@dataclass
class _Folds:
    """Rows predicted in folds, once a repeat, and the calibrators fitted without some folds."""

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
        """Which repeat (n,) a row is of: its rows come one repeat after the other."""
        repeats = int(self.rows["lead_id"].value_counts().iloc[0])
        return np.repeat(np.arange(repeats), len(self.rows) // repeats)

    def inside(self, fold: int) -> np.ndarray:
        return np.asarray(self.block == fold)

    def others(self, fold: int) -> np.ndarray:
        """The rows (n,) of the other folds of the same repeat: in another repeat a fold's own leads are elsewhere."""
        inside = self.inside(fold)
        same_repeat = self.repeat == self.repeat[inside][0]
        return np.asarray(same_repeat & ~inside)

    def fit(self, kind: str, without: frozenset[int]) -> dict[str, Any]:
        """A calibrator of that kind from all folds of a repeat but some."""
        if (kind, without) not in self.fitted:
            chosen = self.repeat == self.repeat[self.inside(next(iter(without)))][0]
            for fold in without:
                chosen &= ~self.inside(fold)
            rows = self.rows[chosen]
            log_odds, label, weight = (
                rows[name].to_numpy(dtype=float) for name in ("log_odds", "label", "weight")
            )
            leads = rows["lead_id"].nunique()
            self.fitted[kind, without] = fit_calibrator(kind, log_odds, label, weight, leads=leads)
        return self.fitted[kind, without]


def _choose_scorer(
    folds: Mapping[str, _Folds], chosen: np.ndarray, comparing: str
) -> tuple[str, dict[str, Any]]:
    """The kind of scorer to use by the chosen rows (n,), each kind calibrated on them by the `comparing` calibrator."""
    evaluated = {}
    for kind, of_kind in folds.items():
        rows = of_kind.rows[chosen]
        log_odds, label, weight = (
            rows[name].to_numpy(dtype=float) for name in ("log_odds", "label", "weight")
        )
        calibrator = fit_calibrator(
            comparing, log_odds, label, weight, leads=rows["lead_id"].nunique()
        )
        evaluated[kind] = as_evaluation_set(rows, calibrate(calibrator, log_odds))
    return choose_among(evaluated, compared_on=COMPARED_ON)


def _choose_calibrator(
    folds: _Folds, chosen: np.ndarray, kinds: tuple[str, ...], *, without: int | None = None
) -> tuple[str, dict[str, float]]:
    """The kind of calibrator to use by the chosen rows (n,), each fold's calibrated by the others of them."""
    if len(kinds) == 1:
        return kinds[0], {}
    rows = folds.rows[chosen]
    block, log_odds = folds.block[chosen], folds.log_odds[chosen]
    evaluated: dict[str, EvaluationSet] = {}
    left_out = frozenset() if without is None else frozenset([without])
    for kind in kinds:
        probability = np.empty(len(rows))
        for fold in np.unique(block):
            calibrator = folds.fit(kind, left_out | {int(fold)})
            probability[block == fold] = calibrate(calibrator, log_odds[block == fold])
        evaluated[kind] = as_evaluation_set(rows, probability)
    losses = {kind: row_log_loss(each.probability, each.label) for kind, each in evaluated.items()}
    return choose_simplest(list(kinds), losses, evaluated[kinds[0]])
