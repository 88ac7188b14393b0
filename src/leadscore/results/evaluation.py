"""How good a trained model is, and what that rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from leadscore.results.audit import OwnAuc
from leadscore.results.base import Interval, Result

if TYPE_CHECKING:
    import pandas as pd


class SideSummary(Result):
    """What a side of history holds: to learn from, or to evaluate on."""

    snapshots: int
    leads: int
    won: int
    censored: int
    base_rate: float | None
    mature_rate: float | None
    watched_to_horizon: float
    weights_capped: float
    follow_up_days: float | None = None
    unusable: dict[str, int] = Field(default_factory=dict)


class SplitSummary(SideSummary):
    """The side that judges after a split, and its moment."""

    moment: str


class Metrics(Result):
    """How good probabilities are, each number with its interval over leads."""

    snapshots: int
    leads: int
    win_rate: float
    auc: Interval
    average_precision: Interval
    log_loss: Interval
    brier: Interval
    bias: Interval
    lift_10: Interval
    capture_10: Interval
    calibration_error: Interval
    calibration_error_raw: Interval
    calibration_error_expected: Interval
    pooled_auc: Interval | None = None
    brier_skill: Interval | None = None
    auc_blocks: int | None = None
    auc_blocks_left_out: int | None = None

    def intervals(self) -> dict[str, Interval]:
        """The numbers that have an interval, by name."""
        return {name: value for name, value in self if isinstance(value, Interval)}


class Bin(Result):
    """Leads of about one probability: what was promised, and what came."""

    n: int
    leads: int
    weight: float
    mean_probability: float
    win_rate: float
    low: float | None = None
    high: float | None = None


class Group(Result):
    """A tier or a segment: what was promised, and what came."""

    name: str
    n: int
    leads: int
    mean_probability: float
    win_rate: float
    low: float
    high: float
    auc: float | None = None
    gap: Interval | None = None


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


class Captured(Result):
    """Which share of the value of all wins the first part of the list captures."""

    unit: str
    points: list[dict[str, float]]

    def at(self, share: float) -> dict[str, float]:
        """The point of the curve at a share of the list."""
        return next(point for point in self.points if point["share"] == share)


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
    said: str


class ScorerChoice(Result):
    """Which scorer was chosen, by which rule, and what others lacked."""

    kind: str
    rule: str | None = None
    why: str | None = None
    log_loss: dict[str, float] = Field(default_factory=dict)
    compared_on: str | None = None
    tried: list[str] = Field(default_factory=list)
    leads_won: int = 0
    leads_not_won: int = 0
    missing_leads: dict[str, int] = Field(default_factory=dict)
    trials: list[dict[str, Any]] = Field(default_factory=list)
    reproducible: bool = True
    ranks: bool = True
    segments: dict[str, Any] = Field(default_factory=dict)
    clocks: dict[str, Any] = Field(default_factory=dict)


class CalibratorChoice(Result):
    """Which calibrator was chosen, by which rule, and why where there was no choice."""

    kind: str
    rule: str | None = None
    log_loss: dict[str, float] = Field(default_factory=dict)
    compared_on: str | None = None
    why: str | None = None


class Period(Result):
    """What was promised and what came, of the leads open in one period."""

    since: str
    leads: int
    mean_probability: float
    win_rate: float
    low: float
    high: float


class Drift(Result):
    """Promised and came, period by period, and a sentence about it."""

    periods: list[Period]
    last: Period | None
    said: str


class RunningIntercept(Result):
    """How many log-odds more, or fewer, leads are won lately than the model predicts."""

    half_life: float | None
    said: str
    unit: str | None = None
    log_loss: dict[str, float] = Field(default_factory=dict)
    compared_on: str | None = None
    leads: float | None = None
    shift: float = 0.0
    without: dict[str, float | None] | None = None


class AuditedField(Result):
    """What the audit said of a field when the model was trained."""

    field: str
    verdict: str
    evidence: str
    auc: OwnAuc | None
    left_out: bool
    in_words: str | None = None


class Carriers(Result):
    """Which groups of features carry the score, by their share of it."""

    rows: int
    groups: list[dict[str, Any]]
    said: str


class Question(Result):
    """A field that a person has to confirm, and why."""

    field: str
    why: str
    label: str | None = None


class Confirmation(Result):
    """What has to be confirmed before a model scores, and the lines of the settings that do so."""

    why: str
    questions: list[Question]
    lines: str


class Evaluation(Result):
    """All that is known about how good a trained model is, and what that rests on."""

    basis: str
    assumption: str | None
    known_until: str
    horizon_days: int | None
    history: SideSummary
    splits: list[SplitSummary]
    judged: SideSummary
    metrics: dict[str, Metrics]
    base_rate_before: float | None
    gain: dict[str, Interval]
    limits_broken: list[str]
    no_signal: str | None
    reliability: list[Bin]
    brier: BrierParts | None
    segments: list[Group]
    tiers: list[Group]
    never_worked: NeverWorked | None
    captured: Captured | None
    curves: dict[str, list[dict[str, float]]]
    days_to_win: DaysToWin | None
    not_learned_from: list[str]
    learning: Learning | None
    scorer: ScorerChoice
    calibrator: CalibratorChoice
    audit: list[AuditedField] = Field(default_factory=list)
    unproven: str | None = None
    drift: Drift | None = None
    times: RunningIntercept | None = None
    carriers: Carriers | None = None
    confirm: Confirmation | None = None
    horizon_why: str | None = None
    not_asked_for: list[str] = Field(default_factory=list)

    @property
    def overall(self) -> Metrics | None:
        """The metrics of all leads together; None where nothing could be evaluated."""
        return self.metrics.get("all")

    def to_pandas(self) -> pd.DataFrame:
        """A row a metric: its value and the bounds of its interval, over all leads."""
        import pandas as pd

        intervals = self.overall.intervals() if self.overall else {}
        rows = {name: interval.to_dict() for name, interval in intervals.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])
