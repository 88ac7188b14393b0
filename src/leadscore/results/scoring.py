"""Lists of scores, and whether they count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadscore.results.base import Result

if TYPE_CHECKING:
    import pandas as pd


class Counts(Result):
    """Where all leads are: scored + closed + absent + not_yet_created + refused = leads."""

    leads: int
    scored: int
    closed: int
    absent: int
    not_yet_created: int
    refused: int


class Scored(Result):
    """A list of scores, written to a folder without publishing it."""

    project: str
    publication_id: str
    folder: str
    as_of: str | None
    model_version: str
    store_version: str
    counts: Counts
    tiers: dict[str, int]
    mean_win_probability: float | None
    what_if: list[dict[str, int | float | None]]
    currency: str | None
    warnings: list[str]
    times: dict[str, Any] | None
    routing: dict[str, Any] | None
    top: list[dict[str, Any]]
    shadow: str | None = None  # the folder of the challenger's list, if that was asked for

    def to_pandas(self) -> pd.DataFrame:
        """The whole list in its order, a row a lead, as in scores.parquet."""
        import pandas as pd

        return pd.read_parquet(f"{self.folder}/scores.parquet")


class Newer(Result):
    """The list that stands because it is newer."""

    publication_id: str
    as_of: str | None


class Published(Result):
    """Whether a list counts now, and what stands if it does not."""

    publication_id: str
    folder: str
    published: bool
    newer: Newer | None
    withheld: list[str]
    previous_as_of: str | None = None


class Reported(Result):
    """The report of a list: where its page is, and the list in five lines of Markdown.

    The digest names leads by their ids only, as every result does.
    """

    project: str
    publication_id: str
    as_of: str | None
    path: str
    bytes: int
    leads: int
    digest: str


class WrittenWorkbook(Result):
    """A list as a workbook for people: of which list, in which file, with how many leads.

    Leads that are left out of a long list are in its score files.
    """

    publication_id: str
    workbook: str
    leads: int
    left_out: int
