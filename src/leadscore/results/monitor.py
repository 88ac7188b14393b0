"""What became of published scores, as `Project.monitor` returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from leadscore.results.base import Interval, Result
from leadscore.results.breakdowns import Captured, Group
from leadscore.results.contact import ExtraContact
from leadscore.results.drift import Alarm, ModelDrift
from leadscore.results.metrics import Metrics
from leadscore.results.shadow import ShadowComparison

if TYPE_CHECKING:
    import pandas as pd


class ReceiptCounts(Result):
    """Where all receipts are: the others add up to `receipts`.

    Attributes:
        receipts: published scores, a lead on a list each.
        settled: the outcome is known, and the horizon of the list is over.
        waiting: the horizon of the list is not over.
        out_of_sight: the lead left the exports before its horizon was over; its weight goes to others.
        undated: the lead closed, and whether within the horizon is not known.
        without_lead: the lead is not in the store any more, or had closed by the date of the list.
    """

    receipts: int
    settled: int
    waiting: int
    out_of_sight: int
    undated: int
    without_lead: int


class TierInMonth(Group):
    """A tier of the lists of one month: the predicted and the actual win rate."""

    month: str


class EstimatedPerformance(Result):
    """How good lists will turn out to be that wait for outcomes: an estimate, from their probabilities.

    `corrected` says whether the probabilities were first corrected by what has been settled. The
    intervals are of chance and of that correction; a change since then is not seen.
    """

    rows: int
    leads: int
    lists: int
    corrected: bool
    win_rate: Interval
    auc: Interval
    lift_10: Interval


class Settled(Result):
    """Published scores beside what became of their leads.

    Attributes:
        counts: where all receipts are.
        lists: how many lists are settled.
        since, until: dates of the first and the last of them; None without one.
        next_due: when the next list is settled; None if none waits.
        metrics: None unless some of the leads were won, and some were not.
        limits_broken: limits of calibration that are broken, in words.
        tiers, months, tiers_in_months, segments: predicted and actual win rates.
        segment: the field that divides the leads into `segments`.
        captured: the value of wins captured by the top of the list; None without a win.
        expected: of the lists that wait; None without one.
    """

    counts: ReceiptCounts
    lists: int
    since: str | None
    until: str | None
    next_due: str | None = None
    metrics: Metrics | None
    limits_broken: list[str] = Field(default_factory=list)
    tiers: list[Group] = Field(default_factory=list)
    months: list[Group] = Field(default_factory=list)
    tiers_in_months: list[TierInMonth] = Field(default_factory=list)
    segment: str | None = None
    segments: list[Group] = Field(default_factory=list)
    captured: Captured | None = None
    expected: EstimatedPerformance | None = None


class Monitored(Result):
    """Published scores settled, as known at a moment, and what changed since the model was trained.

    `drift` is None where that model is gone, `extra_contact` where no lead was explored, `shadow`
    where no challenger wrote a list.
    """

    project: str
    as_of: str
    store_version: str
    settled: Settled
    drift: ModelDrift | None = None
    extra_contact: ExtraContact | None = None
    shadow: ShadowComparison | None = None
    warnings: list[str] = Field(default_factory=list)

    @property
    def alarms(self) -> list[Alarm]:
        """What somebody should look at."""
        return self.drift.alarms if self.drift else []

    def to_pandas(self) -> pd.DataFrame:
        """A row a tier and month: leads, the predicted and the actual win rate with its interval."""
        import pandas as pd

        columns = ["month", "name", "leads", "mean_probability", "win_rate", "low", "high"]
        groups = [group.to_dict() for group in self.settled.tiers_in_months]
        rows = pd.DataFrame(groups, columns=columns)
        return rows.rename(columns={"name": "tier"})
