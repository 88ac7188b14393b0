"""Whether a model has a signal, and, if it ranks, whether it is proven to beat the base rate.

A model that ranks nobody is of no use. One that ranks, but whose level is off or whose gain is not
proven, is worth keeping: it is registered but not promoted, and somebody decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet, compute_log_loss
from leadscore.model.apply import calibrate, logit
from leadscore.model.calibration.calibrate import fit_calibrator
from leadscore.model.limits import format_interval
from leadscore.results import Interval, Metrics

# Leads won, and as many not won: the resamples of fewer look more certain than they are.
MIN_EVALUATED = 10
CHANCE = 1e-9  # nats: a calibrator that follows nothing gives the win rate, but for rounding


@dataclass(frozen=True)
class Signal:
    """Why there is no model to keep, or why one that is kept may not score yet.

    Attributes:
        no_signal: why the model is refused, None if it is kept.
        unproven: why a model that is kept is not promoted, None if nothing speaks against it.
    """

    no_signal: str | None = None
    unproven: str | None = None


def find_signal(
    evaluated: EvaluationSet,
    metrics: Metrics | None,
    gain: Interval,
    *,
    base_rate: float,
) -> Signal:
    """What the evaluation says of the model; what could not be computed speaks against it.

    Args:
        evaluated: the predictions with their outcomes.
        metrics: of them; None where all leads ended alike, which are too few of one kind.
        gain: in log loss over the base rate.
        base_rate: as known before.
    """
    too_few = _describe_too_few(evaluated)
    if too_few:
        return Signal(no_signal=too_few)
    if _is_above(gain, 0.0):
        return Signal()

    assert metrics is not None  # noqa: S101  (with ten leads of either outcome there are some)
    loss = _describe_loss(gain, base_rate)
    auc = metrics.auc
    if not _is_above(auc, 0.5):
        ranks_not = f"nor is the interval of its AUC, {format_interval(auc)}, wholly above 0.5"
        return Signal(no_signal=f"no signal: {loss}; {ranks_not}")
    if not compute_levelled_gain(evaluated) > CHANCE:
        no_better = "with the right level it would be no better"
        return Signal(no_signal=f"no signal: {loss}; {no_better}")

    level = _describe_level(metrics.bias)
    return Signal(unproven=f"it ranks (AUC {format_interval(auc, 2)}), but {level}{loss}")


def compute_levelled_gain(evaluated: EvaluationSet) -> float:
    """The gain in log loss over the win rate, in nats, if level and spread were right.

    Both are fitted to the very leads that evaluate (a sigmoid on the log-odds), so this is the most
    that the ranking could bring.
    """
    label, weight = evaluated.label, evaluated.weight
    log_odds = logit(evaluated.probability)
    leads = evaluated.count_leads()
    sigmoid = fit_calibrator("sigmoid", log_odds, label, weight, leads=leads)
    levelled = calibrate(sigmoid, log_odds)

    average = np.average(label, weights=weight)
    win_rate = np.full(len(label), average)
    return compute_log_loss(win_rate, label, weight) - compute_log_loss(levelled, label, weight)


def _describe_too_few(evaluated: EvaluationSet) -> str | None:
    """Why the leads are too few to evaluate the model, or None."""
    won = evaluated.count_leads_won()
    others = evaluated.count_leads_not_won()
    if min(won, others) >= MIN_EVALUATED:
        return None
    return (
        f"no signal: only {won} won and {others} other leads could evaluate the model; "
        f"at least {MIN_EVALUATED} of each are needed, so give more history"
    )


def _is_above(interval: Interval, bound: float) -> bool:
    """Whether the whole interval is."""
    return interval.low is not None and interval.low > bound


def _describe_loss(gain: Interval, base_rate: float) -> str:
    """How the log loss compares with that of the base rate, which it is not proven to beat."""
    start = f"against giving every lead the base rate of {base_rate:.3f} the model's log loss is"
    value = gain.value
    if value is None:
        return f"{start} unknown"
    size = f"better by {value:.4f}" if value >= 0 else f"worse by {-value:.4f}"
    if gain.low is None:
        return f"{start} {size}, without an interval"
    interval = f"{gain.low:.4f} to {gain.high:.4f}"
    return f"{start} {size}, and the 95% interval of the gain, {interval}, is not wholly above 0"


def _describe_level(bias: Interval) -> str:
    """By how much the level is clearly off, if it is; to stand before `_describe_loss`."""
    low = bias.low
    high = bias.high
    if low is None or high is None or low <= 0 <= high:
        return "its gain is not proven: "
    return f"its level is off by {bias.value:+.3f} ({low:+.3f} to {high:+.3f}): "
