"""How the parts of a model were chosen."""

from __future__ import annotations

from pydantic import Field

from leadscore.results.base import Result, Summary


class ProxyChoice(Result):
    """Whether fields that stand in for time were left out; empty where there are none."""

    fields: list[str] = Field(default_factory=list)
    left_out: bool = False
    log_loss: dict[str, float] = Field(default_factory=dict)


class ComparedSegment(Result):
    """Whether a segment has a model of its own, and what that gains there.

    `gain` is the mean log loss of the model of all less that of its own; None where leads of one
    outcome tell nothing.
    """

    segment: str
    leads: int
    own: bool
    log_loss: float | None
    gain: float | None
    standard_error: float | None


class SegmentModels(Result):
    """The segments that were tried, by which field, or why none has a model; empty if not asked."""

    field: str | None = None
    models: list[ComparedSegment] = Field(default_factory=list)
    why: str | None = None


class Trial(Result):
    """Trees of a size that were tried; the log loss is None where the trial was cut short."""

    trees: int
    leaves: int
    l2: float
    feature_share: float
    log_loss: float | None
    splits: int


class Sampled(Result):
    """How many snapshots learned where something was chosen, of a history too long for all to learn.

    `splits` has those that learned at each split before the last, `trials` those at each split where
    trees were tuned; an empty one means that all did. A sample has all snapshots of its leads, but
    perhaps not of the last one drawn.
    """

    splits: list[int] = Field(default_factory=list)
    trials: list[int] = Field(default_factory=list)


class ScorerChoice(Result):
    """Which scorer was chosen, by which rule, and what others lacked.

    `log_loss` is the mean by kind, `compared_on` which rows compared; both are empty where nothing
    was compared. `sampled` is None where all snapshots learned.
    """

    kind: str
    rule: str | None = None
    why: str | None = None
    log_loss: dict[str, float] = Field(default_factory=dict)
    compared_on: str | None = None
    tried: list[str] = Field(default_factory=list)
    leads_won: int = 0
    leads_not_won: int = 0
    missing_leads: dict[str, int] = Field(default_factory=dict)
    trials: list[Trial] = Field(default_factory=list)
    reproducible: bool = True
    ranks: bool = True
    segments: SegmentModels = Field(default_factory=SegmentModels)
    clocks: ProxyChoice = Field(default_factory=ProxyChoice)
    sampled: Sampled | None = None


class CalibratorChoice(Result):
    """Which calibrator was chosen, by which rule, and why where there was no choice."""

    kind: str
    rule: str | None = None
    log_loss: dict[str, float] = Field(default_factory=dict)
    compared_on: str | None = None
    why: str | None = None


class RunningIntercept(Result):
    """How many log-odds more, or fewer, leads are won lately than the model predicts.

    `half_life` is None without a running intercept; `without` has the metrics that the model would
    have without it.
    """

    half_life: int | None
    summary: Summary
    unit: str | None = None
    log_loss: dict[str, float] = Field(default_factory=dict)
    compared_on: str | None = None
    leads: int | None = None
    shift: float = 0.0
    without: dict[str, float | None] | None = None


class PaceChoice(Result):
    """Whether features say when within the horizon a win comes.

    `log_loss` is that of the interval that later wins came in, for all leads alike and by features.
    """

    learned: bool
    summary: Summary
    log_loss: dict[str, float] = Field(default_factory=dict)
    compared_on: str | None = None
