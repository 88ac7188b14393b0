"""One lead, explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from leadscore.results.base import Result, Summary

if TYPE_CHECKING:
    import pandas as pd


class ExplainedFeature(Result):
    """What a feature says of the lead, what it adds to the log-odds, and the evidence."""

    name: str
    summary: Summary
    value: float
    evidence: str


class ExplainedGroup(Result):
    """What features that belong together add to the log-odds, and in points to the probability."""

    group: str
    value: float
    points: float
    summary: Summary
    features: list[ExplainedFeature]


class Fact(Result):
    """A fact about a lead: when it happened, and when it was known."""

    happened: str
    known: str
    table: str
    what: str


class PastScore(Result):
    """An earlier score of the lead."""

    as_of: str | None
    win_probability: float
    score: float
    tier: str
    model_version: str
    publication_id: str


class Explained(Result):
    """One lead of a published list in full: facts, what each group of features adds, and earlier scores."""

    project: str
    lead_id: str
    publication_id: str
    as_of: str | None
    model_version: str
    store_version: str
    score: dict[str, Any]
    base: float
    start_probability: float
    shift_points: float
    groups: list[ExplainedGroup]
    log_odds: float
    calibrator: str
    shift: float
    win_probability: float
    facts: list[Fact]
    past: list[PastScore]
    page: str = Field(exclude=True)  # all of it as one HTML page

    def to_pandas(self) -> pd.DataFrame:
        """A row a feature: its group, its sentence, and what it adds to the log-odds."""
        import pandas as pd

        rows = [
            {
                "group": group.group,
                "feature": feature.name,
                "adds": feature.value,
                "says": feature.summary,
            }
            for group in self.groups
            for feature in group.features
        ]
        return pd.DataFrame(rows, columns=["group", "feature", "adds", "says"])


class Replayed(Explained):
    """A list that was made again, and the explanation of one lead on it."""

    same: bool
    differs: list[str]


class WrittenPage(Result):
    """To which file the page of an explanation was written."""

    written: str | None
