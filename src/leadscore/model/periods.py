"""Predicted and actual win rate by period: drift, and what exports without losses assume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from leadscore.evaluation.metrics import EvaluationSet, compute_standard_error
from leadscore.evaluation.sums import weighted_mean
from leadscore.history.split import History
from leadscore.model.held_out import MIN_SPLITS, HeldOut
from leadscore.results import Drift, Period

Z = 1.96  # of a 95% interval
LEAST_WON = 10  # leads won in a period: with fewer its rate is mostly luck


def compute_periods(
    held_out: HeldOut,
    calibrator: Mapping[str, Any],
    *,
    moments: Sequence[int],
    names: Sequence[str],
) -> list[Period]:
    """A period for each split, the earliest first; those with few wins are left out.

    Only snapshots whose whole horizon is known count: of later ones the early wins are seen first,
    and their censoring weights stand for all periods together.

    Args:
        held_out: out-of-time predictions.
        calibrator: the one that is published.
        moments: the splits, rising.
        names: what they are called.
    """
    side = held_out.side
    grid_weight = side.rows["grid_weight"].to_numpy()[side.observed]
    evaluated = replace(held_out.evaluated(calibrator), weight=grid_weight)
    split = side.latest_moment(list(moments))[side.observed]
    is_mature = side.is_mature()[side.observed]

    periods = []
    for place, name in enumerate(names):
        part = evaluated.take((split == place) & is_mature)
        if part.count_leads_won() >= LEAST_WON:
            periods.append(_summarise(part, name))
    return periods


def _summarise(part: EvaluationSet, since: str) -> Period:
    predicted = weighted_mean(part.probability, part.weight)
    win_rate = weighted_mean(part.label, part.weight)
    difference = part.label - part.probability
    error = compute_standard_error(difference, part.weight, part.units)
    return Period(
        since=since,
        leads=part.count_leads(),
        mean_probability=predicted,
        win_rate=win_rate,
        low=max(win_rate - Z * error, 0.0),
        high=min(win_rate + Z * error, 1.0),
    )


def summarise_drift(last: Period) -> str:
    """A sentence: the predicted and the actual win rate of the last split, and whether they differ."""
    day = last.since.partition("T")[0]
    numbers = (
        f"predicted win rate of the leads open from {day} on: {last.mean_probability:.3f}, "
        f"actual {last.win_rate:.3f} ({last.low:.3f} to {last.high:.3f})"
    )
    if not last.is_off():
        return f"{numbers}; no clear drift"
    trend = "falling" if last.win_rate < last.mean_probability else "rising"
    return (
        f"{numbers}; win rates are {trend}, and the current predictions may be off in the same "
        "direction"
    )


def compute_drift(
    held_out: HeldOut,
    calibrator: Mapping[str, Any],
    evaluated: EvaluationSet,
    *,
    history: History,
    moments: Sequence[int],
) -> Drift | None:
    """The periods, and the last split as predicted before it.

    None without dates, or with fewer than two splits.

    Args:
        held_out: out-of-time predictions.
        calibrator: the one that is published; it knows the last split too.
        evaluated: the last split, calibrated by what was known before it.
        history: where the leads are.
        moments: the splits, rising.
    """
    if not history.settings.is_dated or len(moments) < 2:
        return None
    names = [history.name(moment) for moment in moments]
    periods = compute_periods(held_out, calibrator, moments=moments, names=names)
    last = _summarise(evaluated, names[-1])
    return Drift(periods=periods, last=last, summary=summarise_drift(last))


def has_wins_only(history: History, *, known_us: int) -> bool:
    """Whether leads with dates were won, and none is recorded as lost."""
    if not history.settings.is_dated:
        return False
    spells = history.spells(known_us)
    closed = spells[spells["close_us"] < known_us]
    return not closed.empty and bool(closed["won"].all())


def keep_late_moments(history: History, moments: list[int], *, known_us: int) -> list[int]:
    """The splits to learn from; without losses only those of the later half of history.

    A lead that is never recorded as lost stays on the list. So the list of an early split is young,
    unlike the one to be scored, and the predictions of its model would mislead a calibrator.

    Args:
        history: where the leads are.
        moments: the splits, rising.
        known_us: up to when facts are known.
    """
    if not has_wins_only(history, known_us=known_us):
        return moments
    middle = (history.version.first_us + known_us) // 2
    late = [moment for moment in moments if moment >= middle]
    return late if len(late) >= MIN_SPLITS else moments[-MIN_SPLITS:]


def describe_wins_only(history: History, *, known_us: int) -> str | None:
    """What is taken for granted where no lead is recorded as lost; None where some are."""
    if not has_wins_only(history, known_us=known_us):
        return None
    days = history.settings.target.horizon_days
    return (
        f"no lead is recorded as lost: a lead counts as not won once {days} days have passed "
        "without a win, and as unknown until then; leads that were given up stay on the list"
    )
