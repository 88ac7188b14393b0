"""Promised and came, period by period: drift, and what exports without losses take for granted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from leadscore.evaluation.metrics import EvaluationSet, compute_standard_error
from leadscore.evaluation.sums import weighted_mean
from leadscore.history.split import History
from leadscore.model.held_out import MIN_SPLITS, HeldOut

Z = 1.96  # of a 95 % interval
LEAST_WON = 10  # leads won in a period: with fewer its rate is mostly luck


@dataclass(frozen=True)
class Period:
    """The snapshots from one split to the next: what was promised, and what came.

    Attributes:
        since: the split, in words.
        leads: how many.
        mean_probability: promised, a weighted mean.
        win_rate: came, with the same weights.
        low: of the 95 % interval, over leads, of the win rate, wide enough to compare with the
            promise.
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
    promised = weighted_mean(part.probability, part.weight)
    came = weighted_mean(part.label, part.weight)
    error = compute_standard_error(part.label - part.probability, part.weight, part.units)
    return Period(
        since=since,
        leads=part.count_leads(),
        mean_probability=promised,
        win_rate=came,
        low=max(came - Z * error, 0.0),
        high=min(came + Z * error, 1.0),
    )


def summarise_drift(last: Period) -> str:
    """What the last split, as it was promised before it, says of the promises of now."""
    numbers = (
        f"of the leads open from {last.since} on {last.mean_probability:.3f} was promised and "
        f"{last.win_rate:.3f} came ({last.low:.3f} to {last.high:.3f})"
    )
    if not last.is_off():
        return f"{numbers}: no clear drift"
    less = "less" if last.win_rate < last.mean_probability else "more"
    return (
        f"{numbers}: leads are won {less} often than before; if that goes on, {less} comes than "
        "is promised now"
    )


def describe_drift(
    held_out: HeldOut,
    calibrator: Mapping[str, Any],
    evaluated: EvaluationSet,
    *,
    history: History,
    moments: Sequence[int],
) -> dict[str, Any] | None:
    """The periods, and the last split as it was promised before it, as JSON.

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
    return {
        "periods": [asdict(period) for period in periods],
        "last": asdict(last),
        "said": summarise_drift(last),
    }


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
    unlike the one to be scored, and what its model promised would mislead a calibrator.

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
