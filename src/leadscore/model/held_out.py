"""Held-out predictions: of later leads after each split, or of leads left out in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.history.split import History
from leadscore.model.apply import HALF, WinModel, calibrate
from leadscore.model.calibration.calibrate import fit_calibrator
from leadscore.model.encode import fold_of_group
from leadscore.model.predict import predict_log_odds

MIN_SPLITS = 3  # with fewer there is nothing left to choose a scorer and a calibrator on


@dataclass(frozen=True)
class HeldOut:
    """Rows predicted by models that had not seen them.

    Attributes:
        side: the rows.
        log_odds: (n,), or (repeats, n) if several models predicted each row; then each prediction
            has its share of the row's weight.
        groups: (n,) what intervals resample as a whole; None for leads.
        blocks: shaped as `log_odds`, the list that a lead is ranked in: its fold of a
            cross-validation. None for its date or, of ordered leads, one list for all.
        together: (n,) rows that no fold may tear apart (see `Matrix.groups`); None for `groups`.
    """

    side: Side
    log_odds: np.ndarray
    groups: np.ndarray | None = None
    blocks: np.ndarray | None = None
    together: np.ndarray | None = None

    @property
    def repeats(self) -> int:
        """How many predictions each row has."""
        return len(np.atleast_2d(self.log_odds))

    def rows(self) -> pd.DataFrame:
        """The labelled rows, once a repeat, with columns log_odds, group, together and block."""
        log_odds = np.atleast_2d(self.log_odds)
        blocks = np.atleast_2d(self._blocks())
        rows = self.side.rows
        rows = rows.assign(
            group=self._units(),
            together=self.folded_by(),
            weight=rows["weight"] / self.repeats,
        )

        repeats = []
        for repeat in range(self.repeats):
            predicted = rows.assign(log_odds=log_odds[repeat], block=blocks[repeat])
            repeats.append(predicted[self.side.observed])
        return pd.concat(repeats, ignore_index=True)

    def folded_by(self) -> np.ndarray:
        """What no fold tears apart (n,): rows of a lead, account or contact."""
        return self._units() if self.together is None else self.together

    def _units(self) -> np.ndarray:
        """What intervals resample (n,)."""
        if self.groups is not None:
            return self.groups
        return self.side.rows["lead_id"].to_numpy()

    def _blocks(self) -> np.ndarray:
        if self.blocks is not None:
            return self.blocks
        if self.side.target is None:
            return np.zeros_like(self.log_odds, dtype=int)
        as_of_us = self.side.rows["as_of_us"].to_numpy()
        return np.broadcast_to(as_of_us, np.shape(self.log_odds))

    def evaluated(self, calibrator: Mapping[str, Any]) -> EvaluationSet:
        """The labelled rows with their calibrated predictions."""
        rows = self.rows()
        probability = calibrate(dict(calibrator), rows["log_odds"].to_numpy())
        return as_evaluation_set(rows, probability)

    def cross_calibrated(self, kind: str) -> EvaluationSet:
        """The labelled rows, each calibrated by a calibrator that saw no row of its fold."""
        rows = self.rows()
        log_odds = rows["log_odds"].to_numpy()
        fold = fold_of_group(rows["together"].to_numpy())
        probability = np.empty(len(rows))
        for k in np.unique(fold):
            inside = fold == k
            calibrator = fit_calibrator_on(rows[~inside], kind)
            probability[inside] = calibrate(calibrator, log_odds[inside])
        return as_evaluation_set(rows, probability)

    def averaged(self, other: HeldOut) -> HeldOut:
        """The same rows, predicted by the average of both scorers' log-odds."""
        mean = HALF * self.log_odds + HALF * other.log_odds
        return replace(self, log_odds=mean)

    def fit_calibrator(self, kind: str) -> dict[str, Any]:
        """A calibrator of that kind fitted on the labelled rows, as JSON."""
        return fit_calibrator_on(self.rows(), kind)


def as_evaluation_set(rows: pd.DataFrame, probability: np.ndarray) -> EvaluationSet:
    """Rows as `HeldOut.rows` gives them, with their probabilities (n,)."""
    return EvaluationSet(
        probability=probability,
        label=rows["label"].to_numpy(),
        weight=rows["weight"].to_numpy(),
        lead_id=rows["lead_id"].to_numpy(),
        block=rows["block"].to_numpy(),
        group=rows["group"].to_numpy(),
    )


def fit_calibrator_on(rows: pd.DataFrame, kind: str) -> dict[str, Any]:
    """A calibrator of that kind for rows as `HeldOut.rows` gives them, as JSON."""
    return fit_calibrator(
        kind,
        rows["log_odds"].to_numpy(dtype=float),
        rows["label"].to_numpy(dtype=float),
        rows["weight"].to_numpy(dtype=float),
        leads=rows["lead_id"].nunique(),
    )


def can_choose(held_out: Mapping[str, HeldOut]) -> bool:
    """Whether the splits before the last have the follow-up and both outcomes to choose by."""
    return "before" in held_out and held_out["before"].side.can_train(1)


def choosing_pool(held_out: Mapping[str, HeldOut]) -> str:
    """The pool to choose on.

    "before" the last split if it can choose, else "inner"; "last" only where nothing came before.
    """
    if can_choose(held_out):
        return "before"
    return "inner" if "inner" in held_out else "last"


def build_pools(history: History, moments: list[int], known_us: int) -> dict[str, Side]:
    """The rows that come after splits, by name.

    * `last`: after the last split,
    * `before`: from the first split to the last, labelled as known at the last, so that what is
      fitted on it knows nothing of `last`,
    * `whole`: after the first split.

    Only `last` with fewer than `MIN_SPLITS` splits, and nothing without a split.
    """
    if not moments:
        return {}
    first, last = moments[0], moments[-1]
    pools = {"last": history.later_side(last, to_us=known_us, known_us=known_us)}
    if len(moments) >= MIN_SPLITS:
        pools["before"] = history.later_side(first, to_us=last, known_us=last)
        pools["whole"] = history.later_side(first, to_us=known_us, known_us=known_us)
    return pools


def predict_pool(
    matrix: Matrix,
    pool: Side,
    moments: list[int],
    models: Sequence[WinModel],
) -> np.ndarray:
    """Uncalibrated log-odds (n,) of a pool's rows, each by the latest model of its past.

    Args:
        matrix: has the features of the rows.
        pool: the rows.
        moments: the splits, rising.
        models: one for each split, fitted on what was known at it.
    """
    split = pool.latest_moment(moments)
    log_odds = np.zeros(len(pool.rows))
    for i, model in enumerate(models):
        after = split == i
        log_odds[after] = predict_log_odds(model, matrix.take(pool.rows[after]))
    return log_odds
