"""Whether a model has a signal at all, and, if it ranks, whether it is proven to beat the base rate.

A model that ranks nobody is of no use. One that ranks, but whose level is off or whose gain is not proven, is worth
keeping: it is registered and not promoted, and somebody decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet, compute_log_loss
from leadscore.model.apply import calibrate, logit
from leadscore.model.calibration.calibrate import fit_calibrator

MIN_EVALUATED = (
    10  # leads won, and as many not won: a resample of fewer looks more certain than it is
)
CHANCE = 1e-9  # nats; a calibrator that follows nothing gives the win rate, but for rounding

Interval = Mapping[str, float | None]  # value, low and high; None for what could not be computed


@dataclass(frozen=True)
class Signal:
    """Why there is no model to keep (`no_signal`), or why one that is kept may not score yet (`unproven`), if so."""

    no_signal: str | None = None
    unproven: str | None = None


def find_signal(
    evaluated: EvaluationSet, metrics: Mapping[str, Any], gain: Interval, *, base_rate: float
) -> Signal:
    """What the leads that evaluate a model say of it; what could not be computed speaks against it.

    Args:
        evaluated: the predictions, and what became of them.
        metrics: of them, as JSON by name; `auc` and `bias` count.
        gain: in log loss over the base rate, as JSON.
        base_rate: as known before.
    """
    if why := _too_few(evaluated):
        return Signal(no_signal=why)
    if _is_above(gain, 0.0):
        return Signal()
    loss = _describe_loss(gain, base_rate)
    auc = metrics["auc"]
    if not _is_above(auc, 0.5):
        ranks_not = f"nor is the interval of its AUC, {_shown(auc, 3)}, wholly above 0.5"
        return Signal(no_signal=f"no signal: {loss}; {ranks_not}")
    if not compute_levelled_gain(evaluated) > CHANCE:
        why = "with the right level it would be no better"
        return Signal(no_signal=f"no signal: {loss}; {why}")
    return Signal(
        unproven=f"it ranks (AUC {_shown(auc, 2)}), but {_describe_level(metrics['bias'])}{loss}"
    )


def compute_levelled_gain(evaluated: EvaluationSet) -> float:
    """The gain in log loss over the win rate where level and spread of the log-odds suit the leads that evaluate."""
    label, weight = evaluated.label, evaluated.weight
    log_odds, leads = logit(evaluated.probability), len(np.unique(evaluated.lead_id))
    levelled = calibrate(fit_calibrator("sigmoid", log_odds, label, weight, leads=leads), log_odds)
    win_rate = np.full(len(label), np.average(label, weights=weight))
    return compute_log_loss(win_rate, label, weight) - compute_log_loss(levelled, label, weight)


def _too_few(evaluated: EvaluationSet) -> str | None:
    """Why there is nobody to judge by, or None."""
    won = len(np.unique(evaluated.lead_id[evaluated.label == 1]))
    others = len(np.unique(evaluated.lead_id[evaluated.label == 0]))
    if min(won, others) >= MIN_EVALUATED:
        return None
    return (
        f"no signal: the model could be judged on {won} won and {others} other leads only; "
        f"at least {MIN_EVALUATED} of each are needed, so give more history"
    )


def _is_above(interval: Interval, bound: float) -> bool:
    """Whether the whole interval is."""
    low = interval["low"]
    return low is not None and low > bound


def _describe_loss(gain: Interval, base_rate: float) -> str:
    """How log loss compares with that of the base rate, which it is not proven to beat."""
    value = gain["value"]
    against = f"against giving every lead the base rate of {base_rate:.3f} the model's log loss is"
    if value is None:
        return f"{against} unknown"
    better = f"better by {value:.4f}" if value >= 0 else f"worse by {-value:.4f}"
    if gain["low"] is None:
        return f"{against} {better}, without an interval"
    low, high = f"{gain['low']:.4f}", f"{gain['high']:.4f}"
    return f"{against} {better}, and the 95 % interval of the gain, {low} to {high}, is not wholly above 0"


def _describe_level(bias: Interval) -> str:
    """By how much the mean probability surely differs from the win rate, to stand before what it does to log loss."""
    low, high = bias["low"], bias["high"]
    if low is None or high is None or low <= 0 <= high:
        return "its gain is not proven: "
    return f"its level is off by {bias['value']:+.3f} ({low:+.3f} to {high:+.3f}): "


def _shown(interval: Interval, digits: int) -> str:
    numbers = (interval[key] for key in ("value", "low", "high"))
    value, low, high = ("?" if number is None else f"{number:.{digits}f}" for number in numbers)
    return f"{value} ({low} to {high})"
