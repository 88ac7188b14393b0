"""Whether it is time to train again, and whether the champion has to give way: values with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from leadscore.evaluation.intervals import compute_gain
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.summaries import summarise_metrics
from leadscore.model.limits import find_broken_limits, format_interval
from leadscore.model.training import MIN_EVALUATED
from leadscore.results.drift import Alarm, AlarmKind
from leadscore.results.reviewed import RetrainingDue, RollbackDecision
from leadscore.settings.model import ModelSettings
from leadscore.settings.retraining import RetrainingSettings
from leadscore.times import DAY_US
from leadscore.wording import counted

# What newer data may cure. A source that stopped or a field that is no longer filled has to be mended, and scores
# that moved while no feature and no win rate did say too little.
CURED: frozenset[AlarmKind] = frozenset({"values", "new values", "range", "calibration"})
ASKS_AGAIN_DAYS = 28  # of data, after a training that did not end an alarm
LARGE_SHARE = 0.1  # of the score; a feature on which less rests is no reason to train


@dataclass(frozen=True)
class SinceTraining:
    """What came since the latest training.

    Attributes:
        days: of data.
        outcomes: leads that closed.
        alarms: that began since, in words.
    """

    days: float
    outcomes: int
    alarms: Sequence[str] = ()


def may_cure(alarm: Alarm) -> bool:
    """Whether newer data may cure what raised an alarm, and enough of the score rests on it."""
    is_large = alarm.share is None or alarm.share >= LARGE_SHARE
    return alarm.kind in CURED and is_large


def asks_again(shown_us: int, *, trained_us: int, known_us: int) -> bool:
    """Whether an alarm that stands asks for a training, although there was one.

    The latest could not have seen it; or it did not end it, since what it trained was refused, and
    there are newer data by now.

    Args:
        shown_us: when the alarm could first be seen.
        trained_us: what the latest training knew.
        known_us: what is known now.
    """
    has_more_data = known_us >= trained_us + ASKS_AGAIN_DAYS * DAY_US
    return shown_us > trained_us or has_more_data


def is_retraining_due(since: SinceTraining | None, policy: RetrainingSettings) -> RetrainingDue:
    """Whether to train again, with the first reason that holds.

    Args:
        since: what came since the latest training; None if there was none.
        policy: the settings.
    """
    if since is None:
        return RetrainingDue(due=True, why="there is no model yet")
    if since.days <= 0:
        return RetrainingDue(due=False, why="there are no newer data than those of the last model")
    if policy.on_alarm and since.alarms:
        return RetrainingDue(due=True, why=f"alarm: {'; '.join(since.alarms)}")

    outcomes = counted(since.outcomes, "lead")
    if policy.new_outcomes is not None and since.outcomes >= policy.new_outcomes:
        return RetrainingDue(due=True, why=f"{outcomes} closed since the last training")
    days = f"{since.days:.1f} days of data since the last training"
    if policy.every_days is not None and since.days >= policy.every_days:
        return RetrainingDue(due=True, why=days)
    return RetrainingDue(due=False, why=f"{days}, {outcomes} closed, no new alarm")


def decide_rollback(
    evaluated: EvaluationSet,
    previous: np.ndarray | None,
    limits: ModelSettings,
    *,
    seed: int,
) -> RollbackDecision:
    """Whether the settled lists of a champion break its limits, and the one before is better.

    It fails closed: the champion stays unless both are clear.

    Args:
        evaluated: the champion's settled lists.
        previous: the probabilities (n,) of the champion before on the same rows; None without one.
        limits: of calibration.
        seed: of the resamples.
    """
    counts = (evaluated.count_leads_won(), evaluated.count_leads_not_won())
    if min(counts) < MIN_EVALUATED:
        return _stays(f"its lists have fewer than {MIN_EVALUATED} leads won, or not won, so far")
    metrics = summarise_metrics(evaluated, snapshots=len(evaluated.label), seed=seed)
    by_limit = find_broken_limits(metrics.calibration_error, metrics.bias, limits)
    broken = list(by_limit.values())
    if not broken:
        return _stays("its settled lists keep the limits")
    if previous is None:
        why = "its settled lists break the limits, but there is no champion before it"
        return RollbackDecision(rolled_back=False, why=why, broken=broken)

    of_previous = replace(evaluated, probability=previous)
    gains = compute_gain(of_previous, evaluated.probability, seed=seed)
    gain = gains["log_loss_gain"].interval()
    is_better = gain.low is not None and gain.low > 0
    outcome = "is clearly better" if is_better else "is not clearly better"
    figures = f"log loss lower by {format_interval(gain)} nats"
    why = f"its settled lists break the limits; the champion before {outcome}: {figures}"
    return RollbackDecision(rolled_back=is_better, why=why, broken=broken, gain=gain)


def _stays(why: str) -> RollbackDecision:
    return RollbackDecision(rolled_back=False, why=why)
