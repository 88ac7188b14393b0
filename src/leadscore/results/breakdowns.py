"""An evaluation taken apart: by probability, by group of leads, by period, and as curves."""

from __future__ import annotations

from pydantic import Field

from leadscore.results.base import Interval, Result, Summary


class Bin(Result):
    """Leads of about the same probability: the predicted and the actual win rate."""

    n: int
    leads: int
    weight: float
    mean_probability: float
    win_rate: float
    low: float | None = None
    high: float | None = None


class Group(Result):
    """A tier or a segment: the predicted and the actual win rate."""

    name: str
    n: int
    leads: int
    mean_probability: float
    win_rate: float
    low: float
    high: float
    auc: float | None = None
    gap: Interval | None = None


class Period(Result):
    """The snapshots from one split to the next: the predicted and the actual win rate.

    The interval of the win rate is over leads, wide enough to compare it with the prediction.
    """

    since: str
    leads: int
    mean_probability: float
    win_rate: float
    low: float
    high: float

    def is_off(self) -> bool:
        """Whether the prediction lies outside the interval of the actual win rate."""
        return not self.low <= self.mean_probability <= self.high


class Drift(Result):
    """Predicted and actual win rate, period by period, and a sentence about them."""

    periods: list[Period]
    last: Period | None
    summary: Summary


class BrierParts(Result):
    """The Brier score in its parts: reliability - resolution + uncertainty + within = brier."""

    reliability: float
    resolution: float
    uncertainty: float
    within: float
    brier: float


class NeverWorked(Result):
    """Lost leads that nobody worked, of all that were lost, by tier."""

    leads: int
    of: int
    by_tier: dict[str, int]


class CapturedPoint(Result):
    """The shares of the value of all wins that working a share of the list captures, by its order.

    `oracle` knows what will be won; `random` is no order at all.
    """

    share: float
    random: float
    leadscore: float
    scorecard: float
    oracle: float


class Captured(Result):
    """What working the first part of the list captures, and in which unit."""

    unit: str
    points: list[CapturedPoint]

    def at(self, share: float) -> CapturedPoint:
        """The point of the curve at a share of the list."""
        return next(point for point in self.points if point.share == share)


class RocPoint(Result):
    """A point of the ROC curve."""

    false_positive_rate: float
    true_positive_rate: float


class PrecisionPoint(Result):
    """A point of the precision-recall curve."""

    recall: float
    precision: float


class LiftPoint(Result):
    """The share of wins that a share of the list captures, and how many times that of chance."""

    share: float
    captured: float
    lift: float


class DistributionBin(Result):
    """The weight of won and of other rows whose probability lies in low <= p < high."""

    low: float
    high: float
    won: float
    other: float


class MaturityPoint(Result):
    """The share of leads won within so many days."""

    days: float
    share: float


class Curves(Result):
    """The curves of an evaluation; empty where nothing could be evaluated.

    `maturity` is None without dates.
    """

    roc: list[RocPoint] = Field(default_factory=list)
    precision_recall: list[PrecisionPoint] = Field(default_factory=list)
    lift: list[LiftPoint] = Field(default_factory=list)
    distribution: list[DistributionBin] = Field(default_factory=list)
    maturity: list[MaturityPoint] | None = None


class DaysToWin(Result):
    """Within how many days half, and nine tenths, of the wins come."""

    half: float | None
    nine_tenths: float | None


class LearningPoint(Result):
    """Log loss when learned from so many leads."""

    leads: int
    log_loss: float


class Learning(Result):
    """The learning curve, and a sentence about it."""

    points: list[LearningPoint]
    summary: Summary
