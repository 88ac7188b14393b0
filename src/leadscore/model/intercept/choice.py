"""Whether a model has a running intercept, and of which half-life: by what it would have said, split after split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import METRICS, EvaluationSet, row_log_loss
from leadscore.history.labels import count_effective_leads
from leadscore.history.split import History
from leadscore.model.apply import add_shift, calibrate
from leadscore.model.calibration.calibrate import KINDS, fit_calibrator
from leadscore.model.choose import COMPARED_ON, Calibration, choose_simplest, is_clearly_better
from leadscore.model.held_out import HeldOut, can_choose
from leadscore.model.intercept.running import (
    HALF_LIVES,
    MOST_TRIED,
    Past,
    evaluate_with_intercept,
    fit_shift,
    keep_times,
    log_odds_of,
    renewals,
    unit_of,
)
from leadscore.times import FOREVER_US

BESIDE = (
    "none",
    "sigmoid",
)  # calibrators tried beside the chosen one: a level that follows the times needs less bend
CERTAIN = {"kind": "none", "low": 1e-5, "high": 1 - 1e-5}  # before any calibrator can be fitted

# Effective leads that a shift rests on before half-lives are compared. A model in use has its past behind it, while the
# replay begins without any: a shift of n leads costs about 1/(2n) nats, and of a handful far more than drift does.
LEAST_PAST = 200

BESIDE_METRICS = ("log_loss", "brier", "pooled_auc", "bias")  # shown without the shift too

Variant = tuple[str, int | None]  # a calibrator and a half-life, None without a shift


@dataclass(frozen=True)
class TimesChoice:
    """The half-life to use, None if there is to be no shift; the calibrator that goes with it; and why, as JSON."""

    half_life: int | None
    calibrator: str
    choice: dict[str, Any]


@dataclass(frozen=True)
class Timed:
    """A calibration with or without a running intercept.

    `document` is what the model keeps of the times, and `choice` how they were chosen, both as JSON.
    """

    calibration: Calibration
    document: dict[str, Any]
    choice: dict[str, Any]


def add_times(
    history: History,
    held_out: Mapping[str, HeldOut],
    moments: Sequence[int],
    calibration: Calibration,
    *,
    known_us: int,
) -> Timed:
    """Choose whether the calibrated log-odds are shifted with the times, and judge accordingly.

    Args:
        history: where the leads are.
        held_out: pool -> predictions by models that had not seen the rows.
        moments: the splits.
        calibration: what was chosen without a shift.
        known_us: up to when facts are known.
    """
    chosen = choose_times(history, held_out, moments, calibrator=calibration.choice["kind"])
    if chosen.half_life is None:
        return Timed(calibration, {}, chosen.choice)
    plain, whole = calibration.evaluated, held_out["whole"]
    calibration = _with_times(
        history, calibration, held_out, kind=chosen.calibrator, half_life=chosen.half_life
    )
    times = keep_times(
        Past(history, whole.side.rows),
        log_odds_of(calibrate(calibration.to_use, whole.log_odds)),
        from_us=moments[0],
        known_us=known_us,
        half_life=chosen.half_life,
    )
    shown = {
        "shift": times["shift"],
        "without": {name: _measure(plain, name) for name in BESIDE_METRICS},
        "said": f"half-life {times['half_life']} {times['unit']}, {times['shift']:+.2f} log-odds when trained",
    }
    return Timed(calibration, {"times": times}, chosen.choice | shown)


def _with_times(
    history: History,
    calibration: Calibration,
    held_out: Mapping[str, HeldOut],
    *,
    kind: str,
    half_life: int,
) -> Calibration:
    """The same for a calibrator of a kind, judged with the shifts of the last split."""
    whole = held_out["whole"]
    rule = "the simplest that is not clearly worse together with the running intercept"
    choice = {"kind": kind, "rule": rule, "compared_on": calibration.choice["compared_on"]}
    evaluated = evaluate_with_intercept(
        history, held_out, held_out["before"].fit_calibrator(kind), half_life=half_life
    )
    return Calibration(whole.fit_calibrator(kind), whole, evaluated, choice)


def _measure(evaluated: EvaluationSet, name: str) -> float:
    return METRICS[name](evaluated.probability, evaluated.label, evaluated.weight)


def choose_times(
    history: History, held_out: Mapping[str, HeldOut], moments: Sequence[int], *, calibrator: str
) -> TimesChoice:
    """Compare half-lives on the splits before the last, each prediction made with what was known before it.

    Of every half-life the calibrator is the simplest that is not clearly worse. The half-life of least log loss is
    used only where it is clearly better than the best calibrator without a shift.

    Args:
        history: where the leads are.
        held_out: pool -> predictions by models that had not seen the rows.
        moments: the splits.
        calibrator: the kind that was chosen without a shift.
    """
    unit = unit_of(history)
    if unit is None:
        return _off(calibrator, _why_none(history))
    if not can_choose(held_out):
        return _off(calibrator, "nothing came before the last split to choose by")
    kinds = [kind for kind in KINDS if kind in {*BESIDE, calibrator}]
    losses, rows = _Replay(history, held_out["before"], moments, kinds, HALF_LIVES[unit]).losses()
    if not len(rows.label):
        return _off(calibrator, "hardly any outcome was known yet before the last split")
    mean = {
        variant: float(np.average(loss, weights=rows.weight)) for variant, loss in losses.items()
    }
    plain = min(((kind, None) for kind in kinds), key=lambda variant: mean[variant])
    shifted = [_choose_kind(losses, rows, kinds, half_life) for half_life in HALF_LIVES[unit]]
    best = min(shifted, key=lambda variant: mean[variant])
    compared = {
        "unit": unit,
        "log_loss": {"none": mean[plain]} | {str(variant[1]): mean[variant] for variant in shifted},
        "compared_on": COMPARED_ON["before"],
        "leads": len(np.unique(rows.lead_id)),
    }
    if is_clearly_better(losses[best], losses[plain], rows):
        return TimesChoice(best[1], best[0], {"half_life": best[1]} | compared)
    return _off(calibrator, "no half-life is clearly better", compared)


def _choose_kind(
    losses: Mapping[Variant, np.ndarray], rows: EvaluationSet, kinds: list[str], half_life: int
) -> Variant:
    """The variant of a half-life with the simplest calibrator that is not clearly worse."""
    of_kind = {kind: losses[kind, half_life] for kind in kinds}
    kind, _ = choose_simplest(kinds, of_kind, rows)
    return kind, half_life


def _off(calibrator: str, why: str, compared: Mapping[str, Any] | None = None) -> TimesChoice:
    return TimesChoice(
        None, calibrator, {"half_life": None, "said": f"none, since {why}", **(compared or {})}
    )


def _why_none(history: History) -> str:
    if history.settings.time == "ordered":
        return "model.outcome_delay does not say after how many leads an outcome is known"
    return "nothing says which leads are later"


@dataclass(frozen=True)
class _Replay:
    """What every variant would have said of the rows of a pool, filled in split by split."""

    history: History
    pool: HeldOut
    moments: Sequence[int]
    kinds: Sequence[str]
    half_lives: Sequence[int]
    shifts: dict[Variant, np.ndarray] = field(default_factory=dict)
    plain: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def past(self) -> np.ndarray:
        """Of how many effective leads (n,) the outcome was known when a row's shift was renewed."""
        return np.zeros(len(self.pool.side.rows))

    def losses(self) -> tuple[dict[Variant, np.ndarray], EvaluationSet]:
        """The log loss (k,) of every variant on the rows with a label and a past that is full, and these rows."""
        n = len(self.pool.side.rows)
        self.plain.update({kind: np.zeros(n) for kind in self.kinds})
        self.shifts.update({(kind, h): np.zeros(n) for kind in self.kinds for h in self.half_lives})
        for split in np.unique(self._split).tolist():
            self._replay_split(split)
        compared = self.pool.side.observed & self._has_full_past()
        rows = self.pool.evaluated(CERTAIN).take(compared[self.pool.side.observed])
        losses: dict[Variant, np.ndarray] = {}
        for kind in self.kinds:
            probability = self.plain[kind][compared]
            losses[kind, None] = row_log_loss(probability, rows.label)
            for half_life in self.half_lives:
                shifted = add_shift(probability, self.shifts[kind, half_life][compared])
                losses[kind, half_life] = row_log_loss(shifted, rows.label)
        return losses, rows

    def _has_full_past(self) -> np.ndarray:
        """Which rows (n,) every variant is compared on.

        Where so little is ever known that no past is full, half of the largest one has to do.
        """
        return np.asarray(self.past >= max(min(LEAST_PAST, self.past.max(initial=0.0) / 2), 1.0))

    @cached_property
    def _split(self) -> np.ndarray:
        """After which of the moments each row (n,) comes."""
        return self.pool.side.latest_moment(list(self.moments))

    @cached_property
    def _past(self) -> Past:
        return Past(self.history, self.pool.side.rows)

    def _replay_split(self, split: int) -> None:
        """Fill in what is said of the rows after a split, by calibrators of what was known at it."""
        inside, log_odds = np.flatnonzero(self._split == split), self.pool.log_odds
        earlier = self._known_at(split)
        calibrated = {}
        for kind in self.kinds:
            probability = calibrate(_fit(kind, earlier, log_odds), log_odds)
            self.plain[kind][inside] = probability[inside]
            calibrated[kind] = log_odds_of(probability)
        as_of_us = self.pool.side.rows["as_of_us"].to_numpy()[inside]
        starts = renewals(as_of_us, dated=self.history.settings.is_dated, most=MOST_TRIED).tolist()
        latest: dict[Variant, float] = {}
        for start, end in pairwise([*starts, FOREVER_US]):
            rows = inside[(as_of_us >= start) & (as_of_us < end)]
            self.past[rows] = self._count_known(start)
            for half_life in self.half_lives:
                known = self._past.known(start, half_life=half_life)
                for kind in self.kinds:
                    begin = latest.get((kind, half_life), 0.0)
                    shift = fit_shift(
                        calibrated[kind][known.at], known.label, known.weight, start=begin
                    )
                    self.shifts[kind, half_life][rows] = latest[kind, half_life] = shift

    def _count_known(self, moment_us: int) -> float:
        """The effective leads that the longest half-life knows of: shorter ones forget, which is their own cost."""
        known = self._past.known(moment_us, half_life=max(self.half_lives))
        lead_id = self.pool.side.rows["lead_id"].to_numpy()[known.at]
        return count_effective_leads(known.weight, lead_id)

    def _known_at(self, split: int) -> pd.DataFrame:
        """The rows of earlier splits with the labels known at this one, and their places; none without follow-up."""
        rows = self.pool.side.rows
        rows = rows.assign(at=np.arange(len(rows)))[self._split < split]
        if not self.history.settings.is_dated:
            rows = rows[self._past.is_known_by_place(self.moments[split])[rows["at"]]]
        if self.history.settings.is_dated and len(rows):
            side = self.history.relabel(
                rows.drop(columns=["label", "weight"]), known_us=self.moments[split]
            )
            rows = side.rows if side.is_watched_enough() else side.rows.iloc[:0]
        return rows[rows["label"].notna()]


def _fit(kind: str, rows: pd.DataFrame, log_odds: np.ndarray) -> dict[str, Any]:
    """A calibrator for labelled rows with their places in raw (n,); none where they are of one outcome."""
    if rows["label"].nunique() < 2:
        return CERTAIN
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    return fit_calibrator(
        kind, log_odds[rows["at"].to_numpy()], label, weight, leads=rows["lead_id"].nunique()
    )
