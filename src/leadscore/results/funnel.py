"""The arithmetic of the sales pipeline, as `Project.funnel` returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.results.base import Result

if TYPE_CHECKING:
    import pandas as pd


class WayOut(Result):
    """How visits to a stage ended in one way: forward, back, won or lost.

    `share` is estimated from all visits, the unfinished ones too; `of_finished` from those that ended
    alone, which is biased where slow visits end otherwise.
    """

    visits: int
    share: float | None
    low: float | None
    high: float | None
    of_finished: float | None


class StageFlow(Result):
    """What becomes of visits to a stage within `within_days`, and how long they last.

    The shares of the ways and `staying` add up to 1. The days are the median, and those after which
    10 % and 90 % of the visits have ended; None if not so many ever ended.
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


class Funnel(Result):
    """The sales pipeline as known at a moment."""

    as_of: str
    since: str
    stages: list[StageFlow]

    def to_pandas(self) -> pd.DataFrame:
        """A row a stage, with a column a share and its bounds."""
        import pandas as pd

        rows = [_flatten(stage) for stage in self.stages]
        return pd.DataFrame(rows)


def _flatten(stage: StageFlow) -> dict[str, object]:
    row: dict[str, object] = {
        name: value for name, value in stage.to_dict().items() if name != "ways"
    }
    for way, out in stage.ways.items():
        row |= {way: out.share, f"{way}_low": out.low, f"{way}_high": out.high}
    return row
