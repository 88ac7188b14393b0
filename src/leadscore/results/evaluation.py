"""How good a trained model is, and what that rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from leadscore.results.audit import OwnAuc
from leadscore.results.base import Result, Summary
from leadscore.results.breakdowns import (
    Bin,
    BrierParts,
    Captured,
    Curves,
    DaysToWin,
    Drift,
    Group,
    Learning,
    NeverWorked,
)
from leadscore.results.choices import CalibratorChoice, PaceChoice, RunningIntercept, ScorerChoice
from leadscore.results.metrics import Gain, Metrics, SideSummary, SplitSummary

if TYPE_CHECKING:
    import pandas as pd


class AuditedField(Result):
    """The verdict of the audit on a field when the model was trained."""

    field: str
    verdict: str
    evidence: str
    auc: OwnAuc | None
    left_out: bool
    in_words: str | None = None


class CarrierShare(Result):
    """A group of features, and its share of the mean absolute contribution."""

    group: str
    share: float


class Carriers(Result):
    """Which groups of features carry the score, by their share of it."""

    rows: int
    groups: list[CarrierShare]
    summary: Summary


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
    gain: Gain
    limits_broken: list[str]
    no_signal: str | None
    reliability: list[Bin]
    brier: BrierParts | None
    segments: list[Group]
    tiers: list[Group]
    never_worked: NeverWorked | None
    captured: Captured | None
    curves: Curves
    days_to_win: DaysToWin | None
    not_learned_from: list[str]
    learning: Learning | None
    scorer: ScorerChoice
    calibrator: CalibratorChoice
    audit: list[AuditedField] = Field(default_factory=list)
    unproven: str | None = None
    drift: Drift | None = None
    times: RunningIntercept | None = None
    pace: PaceChoice | None = None
    carriers: Carriers | None = None
    confirm: Confirmation | None = None
    horizon_why: str | None = None
    not_asked_for: list[str] = Field(default_factory=list)
    keys_not_learned_from: list[str] = Field(default_factory=list)

    @property
    def overall(self) -> Metrics | None:
        """The metrics of all leads together; None where nothing could be evaluated."""
        return self.metrics.get("all")

    @property
    def is_evaluated(self) -> bool:
        """Whether any closed lead could evaluate the model."""
        return len(self.curves.distribution) > 0

    def to_pandas(self) -> pd.DataFrame:
        """A row a metric: its value and the bounds of its interval, over all leads."""
        import pandas as pd

        intervals = self.overall.intervals() if self.overall else {}
        rows = {name: interval.to_dict() for name, interval in intervals.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])
