"""Predictions for rows that a model has not seen: of later leads after each split, or of leads left out in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.features.matrix import Matrix
from leadscore.history.labels import Side
from leadscore.history.split import History
from leadscore.model.apply import HALF, WinModel, calibrate
from leadscore.model.calibration.calibrate import fit_calibrator
from leadscore.model.encode import fold_of_group

MIN_SPLITS = 3  # with fewer there is nothing left to choose a scorer and a calibrator on


@dataclass(frozen=True)
class HeldOut:
    """Rows that were predicted by models that had not seen them.

    `log_odds` is (n,), or (repeats, n) if several did; then each prediction has its share of the row's weight.
    Intervals resample `groups` (n,), by default leads. Leads are ranked within `blocks`, shaped as
    `log_odds`: the folds of a
    cross-validation; by default within dates, or, of ordered leads, all together.
    """

    side: Side
    log_odds: np.ndarray
    groups: np.ndarray | None = None
    blocks: np.ndarray | None = None

    @property
    def repeats(self) -> int:
        """How many predictions there are of each row."""
        return len(np.atleast_2d(self.log_odds))

    def rows(self) -> pd.DataFrame:
        """The rows with a label, once a repeat; raw, group and block beside them."""
        groups = self.side.rows["lead_id"].to_numpy() if self.groups is None else self.groups
        rows = self.side.rows.assign(group=groups, weight=self.side.rows["weight"] / self.repeats)
        log_odds, blocks = np.atleast_2d(self.log_odds), np.atleast_2d(self._blocks())
        repeats = [
            rows.assign(log_odds=log_odds[i], block=blocks[i])[self.side.observed]
            for i in range(self.repeats)
        ]
        return pd.concat(repeats, ignore_index=True)

    def _blocks(self) -> np.ndarray:
        if self.blocks is not None:
            return self.blocks
        if self.side.target is None:
            return np.zeros_like(self.log_odds, dtype=int)
        return np.broadcast_to(self.side.rows["as_of_us"].to_numpy(), np.shape(self.log_odds))

    def evaluated(self, calibrator: Mapping[str, Any]) -> EvaluationSet:
        """The calibrated predictions beside what became of the rows."""
        rows = self.rows()
        return as_evaluation_set(rows, calibrate(dict(calibrator), rows["log_odds"].to_numpy()))

    def cross_calibrated(self, kind: str) -> EvaluationSet:
        """The rows with a label, each calibrated by a calibrator of that kind which saw no row of its group."""
        rows = self.rows()
        fold = fold_of_group(rows["group"].to_numpy())
        probability = np.empty(len(rows))
        for k in np.unique(fold):
            calibrator = _fit_calibrator(kind, rows[fold != k])
            probability[fold == k] = calibrate(calibrator, rows["log_odds"].to_numpy()[fold == k])
        return as_evaluation_set(rows, probability)

    def averaged(self, other: HeldOut) -> HeldOut:
        """The same rows, predicted by the average of both scorers' log-odds."""
        return replace(self, log_odds=HALF * self.log_odds + HALF * other.log_odds)

    def fit_calibrator(self, kind: str) -> dict[str, Any]:
        """A calibrator of that kind for these rows."""
        return _fit_calibrator(kind, self.rows())


def as_evaluation_set(rows: pd.DataFrame, probability: np.ndarray) -> EvaluationSet:
    """Rows as `Unseen.rows` gives them, with their probabilities (n,)."""
    columns = ("label", "weight", "lead_id", "block", "group")
    return EvaluationSet(probability, *(rows[name].to_numpy() for name in columns))


def _fit_calibrator(kind: str, rows: pd.DataFrame) -> dict[str, Any]:
    log_odds, label, weight = (rows[name].to_numpy() for name in ("log_odds", "label", "weight"))
    return fit_calibrator(kind, log_odds, label, weight, leads=rows["lead_id"].nunique())


def can_choose(held_out: Mapping[str, HeldOut]) -> bool:
    """Whether the splits before the last, together, have the follow-up and both outcomes to choose anything by."""
    return "before" in held_out and held_out["before"].side.can_train(1)


def choosing_pool(held_out: Mapping[str, HeldOut]) -> str:
    """The pool to choose on: `before` the last split if it can, else `inner`; `last` only where nothing came before."""
    if can_choose(held_out):
        return "before"
    return "inner" if "inner" in held_out else "last"


def build_pools(history: History, moments: list[int], known_us: int) -> dict[str, Side]:
    """Later sides: `last`, of the last split; with enough splits `whole`, of all, and `before`, of all but the last.

    `before` is labelled as known at the last moment, so that what is fitted on it knows nothing of `last`.
    """
    if not moments:
        return {}
    pools = {"last": history.later_side(moments[-1], to_us=known_us, known_us=known_us)}
    if len(moments) >= MIN_SPLITS:
        pools["before"] = history.later_side(moments[0], to_us=moments[-1], known_us=moments[-1])
        pools["whole"] = history.later_side(moments[0], to_us=known_us, known_us=known_us)
    return pools


def predict_pool(
    matrix: Matrix, pool: Side, moments: list[int], models: Sequence[WinModel]
) -> np.ndarray:
    """Raw log-odds (n,) of a pool's rows, each by the model of the latest moment not after its as_of."""
    at = pool.latest_moment(moments)
    log_odds = np.zeros(len(pool.rows))
    for i, model in enumerate(models):
        if (at == i).any():
            log_odds[at == i] = model.log_odds(matrix.take(pool.rows[at == i]).columns)
    return log_odds
