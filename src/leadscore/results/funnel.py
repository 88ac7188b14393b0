"""The arithmetic of the sales pipeline, as `Project.funnel` returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import Field

from leadscore.results.base import Interval, Result, check_table
from leadscore.results.losses import (
    ContactTimes,
    Improvement,
    Pattern,
    StageLoss,
    Untouched,
    WaitingLead,
)

if TYPE_CHECKING:
    import pandas as pd

Trend = Literal["grows", "shrinks", "steady"]
FunnelTable = Literal[
    "stages",
    "moves",
    "changes",
    "cohorts",
    "groups",
    "losses",
    "stalled",
    "undecided",
    "improvements",
    "patterns",
]


class WayOut(Result):
    """How visits to a stage ended in one way: forward, back, other_pipeline, won or lost.

    `share` is estimated from all visits, the unfinished ones too; `of_finished` from those that ended
    alone, which is biased where slow visits end otherwise.
    """

    visits: int
    share: float | None
    low: float | None
    high: float | None
    of_finished: float | None

    @property
    def interval(self) -> Interval:
        """The share with its bounds."""
        return Interval(value=self.share, low=self.low, high=self.high)


class StageFlow(Result):
    """What becomes of visits to a stage within `within_days`, and how long they last.

    The shares of the ways and `staying` add up to 1. The days are the median, and those after which
    10% and 90% of the visits have ended; None if not so many ever ended. `stalled` leads are in the
    stage at as_of, whenever they entered it, for more than `stalled_after_days`. `pipeline` is empty
    where there is only one.
    """

    stage: str
    visits: int
    unfinished: int
    within_days: float | None
    ways: dict[str, WayOut]
    staying: float | None
    median_days: float | None
    fast_days: float | None
    slow_days: float | None
    is_qualification: bool
    stalled_after_days: float | None
    stalled: int
    pipeline: str = ""


class StageMove(Result):
    """How many visits to a stage led to another one, and whether the settings allow that move."""

    stage: str
    next_stage: str
    visits: int
    is_allowed: bool


class Irregular(Result):
    """What is irregular in the histories of the period: each is counted, nothing is left out silently.

    Attributes:
        skipped: moves forward past at least one open stage.
        moved_back: moves to an earlier stage.
        changed_pipeline: moves into a stage of another pipeline.
        not_allowed: moves that `[stages.moves]` does not list.
        reopened: leads that were open again after a close.
        entered_midway: leads whose first stage was not the first one.
        without_stage: leads that entered no stage while they were open.
        at_one_moment: entries that another one of the same moment replaced.
        repeated: entries into the stage in which the lead was already.
        while_closed: entries into an open stage while the lead was closed, that re-opened nothing.
        not_declared: entries into stages that the settings do not name.
        rejected_stage: rows of the whole export that ingest rejected for their stage.
        rejected_date: rows of the whole export that ingest rejected for their date.
    """

    skipped: int
    moved_back: int
    not_allowed: int
    reopened: int
    entered_midway: int
    without_stage: int
    at_one_moment: int
    repeated: int
    while_closed: int
    not_declared: int
    rejected_stage: int
    rejected_date: int
    changed_pipeline: int = 0


class ShareChange(Result):
    """How a share of a stage changed against the period before, both within the same days.

    `p_value` is two-sided, from the rates of both periods together; `adjusted` is
    Benjamini and Hochberg's over all changes of the funnel.
    """

    stage: str
    way: str
    within_days: float
    visits_before: int
    visits: int
    before: float
    now: float
    difference: Interval
    p_value: float
    adjusted: float


class Cohort(Result):
    """What became of the leads of a month.

    `won_within` has a share for each number of days, from which open leads are not counted as lost;
    its value is None until half of the leads came in so many days ago.
    """

    month: str
    leads: int
    won: int
    lost: int
    open: int
    won_within: dict[str, Interval]


class Velocity(Result):
    """What the open leads bring a day: leads x value x win rate / cycle length.

    Attributes:
        leads: open at as_of.
        wins: closed in the period, with an amount.
        value: their mean amount.
        currency: of the amounts, where they state one.
        win_rate: of leads that came in or were re-opened in the period, within `within_days`.
        cycle_days: the mean days until such a lead is won or lost, none counted for more than
            `within_days`.
        still_open: the share of such leads not closed after `within_days`: where it is large, the
            win rate and the cycle are cut off.
        per_day: the product; None if a part is missing.
        won_per_day: the amounts won in the period, a day, beside it.
    """

    leads: int
    wins: int
    value: float | None
    currency: str | None
    win_rate: Interval
    cycle_days: float | None
    within_days: float | None
    per_day: float | None
    won_per_day: float | None
    still_open: float | None = None


class PipelineSpeed(Result):
    """Velocity and leads by month of one of several pipelines.

    A lead belongs to the pipeline of the last open stage that it entered.
    """

    pipeline: str
    velocity: Velocity
    cohorts: list[Cohort]


class PipelineHealth(Result):
    """Leads that came in or were re-opened in the last `days`, beside those that closed.

    `trend` is "grows" or "shrinks" where the difference is more than chance, else "steady".
    """

    days: int
    opened: int
    closed: int
    trend: Trend


class FunnelGroup(Result):
    """The leads that came in in the period and have one value, by what was known at as_of.

    By tier they are those of a list, followed from its date on. A re-opened lead counts once, by its
    first close. `won` and `lost` are shares within `within_days` of coming in, or of the list. Shares
    of `stages` are within the days of the whole, the same for all groups; None where too few visits
    were followed so long.
    """

    value: str
    leads: int
    open: int
    within_days: float
    won: Interval
    lost: Interval
    median_days: float | None
    stages: list[StageFlow]


class StayPoint(Result):
    """The share of visits that are still in the stage after so many days."""

    days: float
    staying: float


class StayCurve(Result):
    """The Kaplan-Meier curve of a stage, as far as 30 visits were in sight; at most 60 points."""

    stage: str
    points: list[StayPoint]


class Funnel(Result):
    """The sales pipeline as known at a moment; `groups` are by `by`, most leads first.

    By tier, the best comes first, and `tiers_as_of` is the date of the list that gave them, else None.

    The most unusual 50 of the stalled leads are named, and of those that are `undecided`: stalled,
    though the lead did something in the last 30 days. `contact` and `untouched` are None where
    activities of reps are not mapped. `pipelines` is empty where there is only one.
    """

    as_of: str
    since: str
    stages: list[StageFlow]
    moves: list[StageMove]
    irregular: Irregular
    changes: list[ShareChange]
    cohorts: list[Cohort]
    velocity: Velocity
    by: str | None
    groups: list[FunnelGroup]
    losses: list[StageLoss] = Field(default_factory=list)
    contact: ContactTimes | None = None
    stalled: list[WaitingLead] = Field(default_factory=list)
    undecided: list[WaitingLead] = Field(default_factory=list)
    untouched: Untouched | None = None
    improvements: list[Improvement] = Field(default_factory=list)
    patterns: list[Pattern] = Field(default_factory=list)
    tiers_as_of: str | None = None
    curves: list[StayCurve] = Field(default_factory=list)
    pipelines: list[PipelineSpeed] = Field(default_factory=list)

    def to_pandas(self, table: FunnelTable = "stages") -> pd.DataFrame:
        """One of its tables, a row an entry, with a column a number and its bounds.

        Args:
            table: `stages`, `moves`, `changes`, `cohorts`, `groups`, `losses`, `stalled`,
                `undecided`, `improvements` or `patterns`.
        """
        import pandas as pd

        check_table(table, get_args(FunnelTable))
        entries: list[Any] = getattr(self, table)
        rows = [_flatten(entry.to_dict()) for entry in entries]
        return pd.DataFrame(rows)


def _flatten(entry: dict[str, Any]) -> dict[str, Any]:
    """A row with columns like won_low for the bounds of an interval; lists are left out."""
    row: dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, dict):
            row |= _flatten_estimates(name, value)
        elif not isinstance(value, list):
            row[name] = value
    return row


def _flatten_estimates(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """Columns of an interval, of the ways out, or of the shares by days."""
    if "low" in value:
        estimate = value.get("value", value.get("share"))
        return {name: estimate, f"{name}_low": value["low"], f"{name}_high": value["high"]}
    row: dict[str, Any] = {}
    for key, estimate in value.items():
        column = f"{name}_{key}" if name == "won_within" else key
        row |= _flatten_estimates(column, estimate)
    return row
