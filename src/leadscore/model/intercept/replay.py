"""What a model with a running intercept would have predicted, split after split.

Every calibrator and half-life is replayed with what was known at the time, so that their log loss
can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet, row_log_loss
from leadscore.history.censoring import count_effective_leads
from leadscore.history.split import History
from leadscore.model.apply import add_shift, calibrate, logit
from leadscore.model.calibration.calibrate import fit_calibrator
from leadscore.model.compare import is_clearly_better
from leadscore.model.held_out import HeldOut
from leadscore.model.intercept.past import Past, renewals
from leadscore.model.intercept.shift import fit_shift
from leadscore.times import FOREVER_US

UNCALIBRATED = {"kind": "none", "low": 1e-5, "high": 1 - 1e-5}  # until a calibrator can be fitted
MOST_RENEWALS = 4  # within a split, where half-lives are only compared

# Effective leads behind a shift before half-lives are compared. A model in use has its past behind
# it, while the replay starts without any: a shift fitted on n leads costs about 1/(2n) nats, and on
# a handful far more than drift does.
LEAST_PAST = 200


@dataclass(frozen=True)
class Variant:
    """A kind of calibrator with a half-life, None for no shift."""

    calibrator: str
    half_life: int | None = None


@dataclass(frozen=True)
class Comparison:
    """The log loss (k,) of every variant on the same rows."""

    losses: Mapping[Variant, np.ndarray]
    rows: EvaluationSet

    def mean(self, variant: Variant) -> float:
        """The weighted mean log loss of a variant."""
        losses = self.losses[variant]
        return float(np.average(losses, weights=self.rows.weight))

    def is_better(self, variant: Variant, than: Variant) -> bool:
        """Whether a variant is clearly better than another."""
        return is_clearly_better(self.losses[variant], self.losses[than], self.rows)


def replay(
    history: History,
    pool: HeldOut,
    moments: Sequence[int],
    *,
    kinds: Sequence[str],
    half_lives: Sequence[int],
) -> Comparison:
    """Compare calibrators with and without a shift on the rows with a label and a long enough past.

    Args:
        history: where the leads are.
        pool: held-out predictions of the splits before the last.
        moments: the splits.
        kinds: of calibrators.
        half_lives: in the history's unit.
    """
    return _Replay(history, pool, moments, kinds, half_lives).compare()


class _Replay:
    """The predictions of all variants for the n rows of a pool, filled in split by split."""

    def __init__(
        self,
        history: History,
        pool: HeldOut,
        moments: Sequence[int],
        kinds: Sequence[str],
        half_lives: Sequence[int],
    ) -> None:
        self.history = history
        self.pool = pool
        self.moments = moments
        self.kinds = kinds
        self.half_lives = half_lives

        n = len(pool.side.rows)
        self.past = Past(history, pool.side.rows)
        self.probability = {kind: np.zeros(n) for kind in kinds}
        self.shift = {}
        for kind in kinds:
            for half_life in half_lives:
                self.shift[Variant(kind, half_life)] = np.zeros(n)
        # Effective leads with a known outcome when the row's shift was renewed.
        self.known_leads = np.zeros(n)

    @cached_property
    def split(self) -> np.ndarray:
        """The split (n,) that each row comes after."""
        return self.pool.side.latest_moment(list(self.moments))

    def compare(self) -> Comparison:
        """Replay all splits and compare the variants."""
        for split in np.unique(self.split).tolist():
            self._replay_split(split)

        observed = self.pool.side.observed
        compared = observed & self._has_long_past()
        rows = self.pool.evaluated(UNCALIBRATED).take(compared[observed])

        losses = {}
        for kind in self.kinds:
            probability = self.probability[kind][compared]
            losses[Variant(kind)] = row_log_loss(probability, rows.label)
            for half_life in self.half_lives:
                variant = Variant(kind, half_life)
                shifted = add_shift(probability, self.shift[variant][compared])
                losses[variant] = row_log_loss(shifted, rows.label)
        return Comparison(losses, rows)

    def _has_long_past(self) -> np.ndarray:
        """Which rows (n,) variants are compared on.

        Where so little is ever known that no past is long, half of the longest one is enough.
        """
        half_of_longest = self.known_leads.max(initial=0.0) / 2
        least = max(min(LEAST_PAST, half_of_longest), 1.0)
        return np.asarray(self.known_leads >= least)

    def _replay_split(self, split: int) -> None:
        """Fill in the predictions for the rows after a split."""
        inside = np.flatnonzero(self.split == split)
        calibrated = self._calibrate(split, inside)

        rows = self.pool.side.rows
        as_of_us = rows["as_of_us"].to_numpy()[inside]
        is_dated = self.history.settings.is_dated
        starts_us = renewals(as_of_us, dated=is_dated, most=MOST_RENEWALS).tolist()
        latest = dict.fromkeys(self.shift, 0.0)
        for start_us, end_us in pairwise([*starts_us, FOREVER_US]):
            is_between = (start_us <= as_of_us) & (as_of_us < end_us)
            rows = inside[is_between]
            self.known_leads[rows] = self._count_known_leads(start_us)
            latest = self._renew(start_us, calibrated, latest)
            for variant, shift in latest.items():
                self.shift[variant][rows] = shift

    def _calibrate(self, split: int, inside: np.ndarray) -> dict[str, np.ndarray]:
        """Calibrated log-odds (n,) by kind, by calibrators of what was known at a split.

        The probabilities of the rows `inside` the split are filled in.
        """
        earlier = self._known_at(split)
        calibrated = {}
        for kind in self.kinds:
            calibrator = _fit_calibrator(kind, earlier, self.pool.log_odds)
            probability = calibrate(calibrator, self.pool.log_odds)
            self.probability[kind][inside] = probability[inside]
            calibrated[kind] = logit(probability)
        return calibrated

    def _renew(
        self,
        moment_us: int,
        calibrated: Mapping[str, np.ndarray],
        latest: Mapping[Variant, float],
    ) -> dict[Variant, float]:
        """The shifts at a moment, each fitted from the latest one on."""
        renewed = {}
        for half_life in self.half_lives:
            known = self.past.known(moment_us, half_life=half_life)
            for kind in self.kinds:
                variant = Variant(kind, half_life)
                log_odds = calibrated[kind][known.positions]
                renewed[variant] = fit_shift(
                    log_odds,
                    known.label,
                    known.weight,
                    start=latest[variant],
                )
        return renewed

    def _count_known_leads(self, moment_us: int) -> float:
        """Effective leads known to the longest half-life; that shorter ones forget is their cost."""
        longest = max(self.half_lives)
        known = self.past.known(moment_us, half_life=longest)
        rows = self.pool.side.rows
        lead_id = rows["lead_id"].to_numpy()[known.positions]
        return count_effective_leads(known.weight, lead_id)

    def _known_at(self, split: int) -> pd.DataFrame:
        """The rows of earlier splits that had a label at this one, and their positions.

        There are none where follow-up was too short.
        """
        rows = self.pool.side.rows
        rows = rows.assign(position=np.arange(len(rows)))
        rows = rows[self.split < split]
        moment_us = self.moments[split]
        if not self.history.settings.is_dated:
            is_known = self.past.is_known_by_order(moment_us)
            rows = rows[is_known[rows["position"]]]
        elif len(rows):
            unlabelled = rows.drop(columns=["label", "weight"])
            side = self.history.relabel(unlabelled, known_us=moment_us)
            is_enough = side.is_watched_enough()
            rows = side.rows if is_enough else side.rows.iloc[:0]
        return rows[rows["label"].notna()]


def _fit_calibrator(
    kind: str,
    rows: pd.DataFrame,
    log_odds: np.ndarray,
) -> dict[str, Any]:
    """A calibrator of labelled rows; `UNCALIBRATED` where all have one outcome.

    Args:
        kind: of the calibrator.
        rows: (k,) with label, weight and their position in `log_odds`.
        log_odds: (n,).
    """
    if rows["label"].nunique() < 2:
        return UNCALIBRATED
    return fit_calibrator(
        kind,
        log_odds[rows["position"].to_numpy()],
        rows["label"].to_numpy(),
        rows["weight"].to_numpy(),
        leads=rows["lead_id"].nunique(),
    )
