"""Another score compared with leadscore's, as `Project.judge` returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from leadscore.results.base import Interval, Result
from leadscore.results.metrics import Metrics

if TYPE_CHECKING:
    import pandas as pd

PeekVerdict = Literal["peeks", "suspect", "no sign", "not known"]


class ScoreCounts(Result):
    """Which rows are judged: those that both had scored before their close.

    Attributes:
        receipts: rows of our lists.
        settled: of them, those whose outcome is known.
        both: of these, those that the other score had by then.
        leads: distinct leads among them.
        lists: how many of our lists they are on.
        since, until: dates of the first and the last of them.
    """

    receipts: int
    settled: int
    both: int
    leads: int
    lists: int
    since: str
    until: str


class ComparedAuc(Result):
    """The AUC within dates of both scores, and leadscore's minus the other's; 95% intervals over leads."""

    ours: Interval
    theirs: Interval
    difference: Interval


class TopShare(Result):
    """What the top of an average list holds by either order, for a top as large as our tiers.

    Attributes:
        tiers: whose leads are as many.
        share: of the list.
        called: leads of an average list in that top.
        wins, value: of an average list, and what they bring.
        wins_ours, wins_theirs, value_ours, value_theirs: of these in either top.
        missed: wins in our top less those in theirs.
        left: their value.
    """

    tiers: str
    share: float
    called: float
    wins: float
    wins_ours: float
    wins_theirs: float
    missed: Interval
    value: float
    value_ours: float
    value_theirs: float
    left: Interval


class PeekCheck(Result):
    """Whether a score knows the outcome before it can: one check, and what it rests on."""

    check: str
    verdict: PeekVerdict
    evidence: str


class Judged(Result):
    """A score judged on the leads that it and we had scored before their close.

    Attributes:
        name: of the score.
        basis: what stands for our scores: our receipts, or a back-test.
        unit: of the values: a currency, or "wins".
        calibration: of our probabilities, of the score mapped to probabilities by earlier lists, and,
            where it is within 0 and 1 or 100, of the score as it is; all on the later lists.
        mapped_from: the lists before this date made the map; None if they were too few.
        peeks: the worst verdict of the checks.
        summary: all of it in sentences.
    """

    project: str
    as_of: str
    store_version: str
    name: str
    basis: str
    unit: str
    counts: ScoreCounts
    auc: ComparedAuc
    calibration: dict[str, Metrics]
    mapped_from: str | None
    tops: list[TopShare]
    checks: list[PeekCheck]
    peeks: PeekVerdict
    summary: list[str]
    warnings: list[str] = Field(default_factory=list)

    def to_pandas(self) -> pd.DataFrame:
        """A row a top of the list: leads called, wins and value by either order."""
        import pandas as pd

        return pd.DataFrame([top.to_dict() for top in self.tops])
