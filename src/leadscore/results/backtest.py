"""What a back-test hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from leadscore.results.base import Interval, Result
from leadscore.results.breakdowns import Bin
from leadscore.results.metrics import Metrics

if TYPE_CHECKING:
    import pandas as pd


class ReplayedDate(Result):
    """Training and scoring as they would have been on a past date, and how the leads ended."""

    as_of: str
    open: int
    settled: int
    won: int
    trained_on: int
    splits: int
    calibrator: str
    shift: float
    notes: list[str]
    models: dict[str, ModelMetrics]


class ModelMetrics(Metrics):
    """The metrics of a model beside others, its gain over the base rate, and its difference to leadscore.

    A difference is taken on the same resamples; there is none of leadscore itself.
    """

    difference: dict[str, Interval] = Field(default_factory=dict)
    log_loss_gain: Interval | None = None
    brier_skill: Interval | None = None


class SkippedDate(Result):
    """A date that could not be replayed, and why."""

    as_of: str
    why: str


class BacktestReport(Result):
    """The dates that were replayed, and metrics of them pooled; those are empty without dates."""

    known_until: str
    horizon_days: int | None
    dates: list[ReplayedDate]
    skipped: list[SkippedDate]
    pooled: dict[str, ModelMetrics] = Field(default_factory=dict)
    reliability: list[Bin] = Field(default_factory=list)


class Backtested(BacktestReport):
    """The past replayed at several dates, as it was written to a folder."""

    project: str
    store_version: str
    horizon_why: str | None
    folder: str

    def to_pandas(self) -> pd.DataFrame:
        """A row a date: leads open and won, and leadscore's metrics."""
        import pandas as pd

        rows = []
        for date in self.dates:
            intervals = date.models["leadscore"].intervals()
            values = {name: interval.value for name, interval in intervals.items()}
            rows.append({"as_of": date.as_of, "open": date.open, "won": date.won, **values})
        return pd.DataFrame(rows)
