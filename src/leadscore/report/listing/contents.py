"""What a report is made from; `project` gathers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from leadscore.results import BacktestReport, Counts, Evaluation, PipelineHealth
from leadscore.scoring.timeline import Happening
from leadscore.scoring.waterfall import Waterfall

WATERFALLS = 5_000  # leads that have one, the first of the list: all of them would not fit
TIMELINES = 2_000


@dataclass(frozen=True)
class ShownLead:
    """What people call a lead; "" where the export does not say."""

    name: str = ""
    company: str = ""
    contact: str = ""
    email: str = ""
    phone: str = ""
    url: str = ""


@dataclass(frozen=True)
class LeftLead:
    """A lead of the previous list that is not on this one, and how it ended."""

    lead_id: str
    why: str
    tier: str
    win_probability: float


@dataclass(frozen=True)
class PastList:
    """A list that was published earlier: win_probability and tier by lead."""

    as_of: str
    probabilities: Mapping[str, float]
    tiers: Mapping[str, str]


@dataclass(frozen=True)
class ListContents:
    """A publication, and what a report shows beside its scores.

    Attributes:
        scores: in the order of the list.
        by_value: whether the expected value decides that order.
        routing: the facts of the routing, None where leads are not routed.
        past: earlier lists, the oldest first; the last is the one that `change` compares with.
        left: leads of the last of `past` that are not on the list.
        stages: the stage of each lead; empty where it cannot be read any more.
        rep_names: rep_id -> name.
        shown: lead_id -> what people call it.
        waterfalls: lead_id -> what makes its probability, of the first `WATERFALLS` leads; empty
            where it cannot be read any more.
        timelines: lead_id -> what happened with it, of the first `TIMELINES` leads; likewise.
        reopened: leads that had closed before; likewise.
        health: whether enough new leads come in; None where few do, or it cannot be read any more.
    """

    project: str
    publication_id: str
    as_of: str | None
    model_version: str
    counts: Counts
    scores: pa.Table
    currency: str | None = None
    by_value: bool = False
    horizon_days: int | None = None
    warnings: Sequence[str] = ()
    routing: Mapping[str, Any] | None = None
    past: Sequence[PastList] = ()
    left: Sequence[LeftLead] = ()
    stages: Mapping[str, str] = field(default_factory=dict)
    rep_names: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, ShownLead] = field(default_factory=dict)
    waterfalls: Mapping[str, Waterfall] = field(default_factory=dict)
    timelines: Mapping[str, Sequence[Happening]] = field(default_factory=dict)
    reopened: frozenset[str] = frozenset()
    health: PipelineHealth | None = None
    evaluation: Evaluation | None = None
    backtest: BacktestReport | None = None

    @property
    def previous(self) -> PastList | None:
        """The list that `change` compares with."""
        return self.past[-1] if self.past else None

    def is_new(self, lead_id: str) -> bool:
        """Whether a lead was not on the previous list; of a first list none is."""
        return self.previous is not None and lead_id not in self.previous.probabilities
