"""What an evaluation rests on, and its metrics with their intervals."""

from __future__ import annotations

from pydantic import Field

from leadscore.results.base import Interval, Result


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
    """What could be learned at a split, and its moment."""

    moment: str


class Intervals(Result):
    """Some numbers that have an interval, among others."""

    def intervals(self) -> dict[str, Interval]:
        """The numbers that have an interval, by name."""
        return {name: value for name, value in self if isinstance(value, Interval)}


class EvaluatedRows(Intervals):
    """The rows that evaluate: their number, their leads, and the lists that the AUC rests on."""

    snapshots: int
    leads: int
    win_rate: float
    auc_blocks: int | None = None
    auc_blocks_left_out: int | None = None


class Metrics(EvaluatedRows):
    """How good probabilities are, each number with its interval over leads."""

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


class Gain(Intervals):
    """What probabilities gain over the base rate; empty where nothing could be evaluated."""

    log_loss_gain: Interval | None = None
    brier_skill: Interval | None = None
