"""Promised and came, period by period: what drift does, and what exports without losses take for granted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet, compute_standard_error
from leadscore.history.split import History
from leadscore.model.held_out import MIN_SPLITS, HeldOut

Z = 1.96
LEAST_WON = 10  # leads of a period: of fewer its rate is mostly luck


@dataclass(frozen=True)
class Period:
    """Snapshots from one split to the next, as the published calibrator reads predictions made before them.

    Attributes:
        since: the split, in words.
        leads: how many.
        mean_probability: promised, a weighted mean.
        win_rate: came, with the same weights.
        low: of the 95 % interval, over leads, of the win rate that the promise allows to compare with.
        high: its other end.
    """

    since: str
    leads: int
    mean_probability: float
    win_rate: float
    low: float
    high: float

    def is_off(self) -> bool:
        """Whether the promise lies outside the interval of what came."""
        return not self.low <= self.mean_probability <= self.high


def compute_periods(
    held_out: HeldOut,
    calibrator: Mapping[str, Any],
    *,
    moments: Sequence[int],
    names: Sequence[str],
) -> list[Period]:
    """A period a split, the earliest first; those with few wins are left out.

    Only snapshots whose whole horizon is known count: of later ones the early wins are seen first, and their
    censoring weights stand for all periods together.

    Args:
        held_out: out-of-time predictions.
        calibrator: the one that is published.
        moments: the splits, rising.
        names: what they are called.
    """
    evaluated = held_out.evaluated(calibrator)
    rows = held_out.side.rows[held_out.side.observed]
    evaluated = replace(evaluated, weight=rows["grid_weight"].to_numpy())
    at = held_out.side.latest_moment(list(moments))[held_out.side.observed]
    is_over = held_out.side.is_mature()[held_out.side.observed]
    periods = []
    for place, name in enumerate(names):
        part = evaluated.take((at == place) & is_over)
        if len(np.unique(part.lead_id[part.label == 1])) >= LEAST_WON:
            periods.append(_describe(part, name))
    return periods


def _describe(part: EvaluationSet, name: str) -> Period:
    promised = float(np.average(part.probability, weights=part.weight))
    came = float(np.average(part.label, weights=part.weight))
    error = compute_standard_error(part.label - part.probability, part.weight, part.units)
    leads = len(np.unique(part.lead_id))
    return Period(
        name, leads, promised, came, max(came - Z * error, 0.0), min(came + Z * error, 1.0)
    )


def say_drift(last: Period) -> str:
    """What the last split, as it was promised before it, says of what is promised now."""
    numbers = (
        f"of the leads open from {last.since} on {last.mean_probability:.3f} was promised and {last.win_rate:.3f} came "
        f"({last.low:.3f} to {last.high:.3f})"
    )
    if not last.is_off():
        return f"{numbers}: no clear drift"
    less = "less" if last.win_rate < last.mean_probability else "more"
    return f"{numbers}: leads are won {less} often than before; if that goes on, {less} comes than is promised now"


def describe_drift(
    held_out: HeldOut,
    calibrator: Mapping[str, Any],
    evaluated: EvaluationSet,
    *,
    history: History,
    moments: Sequence[int],
) -> dict[str, Any] | None:
    """The periods, the last split as it was promised before it, and what that says, as JSON; None for fewer than two.

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
    last = _describe(evaluated, names[-1])
    return {
        "periods": [asdict(period) for period in periods],
        "last": asdict(last),
        "said": say_drift(last),
    }


def has_wins_only(history: History, *, known_us: int) -> bool:
    """Whether leads with dates were won and none is recorded as lost."""
    if not history.settings.is_dated:
        return False
    spells = history.spells(known_us)
    closed = spells[spells["close_us"] < known_us]
    return not closed.empty and bool(closed["won"].all())


def keep_late_moments(history: History, moments: list[int], *, known_us: int) -> list[int]:
    """The splits to learn from, of rising moments: without losses those of the later half of history.

    A lead that is never recorded as lost stays on the list, so that the list of an early split is young, and unlike
    the one that is to be scored: what its model promised of it misleads a calibrator.
    """
    if not has_wins_only(history, known_us=known_us):
        return moments
    middle = (history.version.first_us + known_us) // 2
    late = [moment for moment in moments if moment >= middle]
    return late if len(late) >= MIN_SPLITS else moments[-MIN_SPLITS:]


def say_wins_only(history: History, *, known_us: int) -> str | None:
    """What is taken for granted where leads were won and none is recorded as lost; else None."""
    if not has_wins_only(history, known_us=known_us):
        return None
    days = history.settings.target.horizon_days
    return (
        f"no lead is recorded as lost: a lead counts as not won once {days} days have passed without a win, and as "
        "unknown until then; leads that were given up stay on the list"
    )
