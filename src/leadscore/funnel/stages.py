"""What becomes of visits to each stage: how many move on, how many are lost, how fast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leadscore.funnel.competing import Ends, Shares, Z, estimate_shares, quantile_hours
from leadscore.history.visits import EXITS
from leadscore.results.funnel import StageFlow, WayOut

WAYS = tuple(way for way in EXITS if way != "open")
LEAST_VISITS = 30  # in sight, for a share to be stated: later ones rest on too few
HOURS = 24.0  # of a day


def describe_stages(visits: pd.DataFrame, stages: Sequence[str]) -> list[StageFlow]:
    """The stages in their order, each with its shares, its speed and the naive share.

    Args:
        visits: as `count_visits` returns them.
        stages: the open ones in their order.
    """
    by_stage = dict(tuple(visits.groupby("stage")))
    empty = visits.iloc[:0]
    return [_describe_stage(stage, by_stage.get(stage, empty)) for stage in stages]


def _describe_stage(stage: str, visits: pd.DataFrame) -> StageFlow:
    ends = _count_ends(visits)
    shares = estimate_shares(ends)
    until = _last_with_enough(ends)
    n = int(visits["visits"].sum())
    unfinished = int(ends.unfinished.sum())
    return StageFlow(
        stage=stage,
        visits=n,
        unfinished=unfinished,
        within_days=None if until is None else float(ends.hours[until] / HOURS),
        ways={way: _describe_way(way, ends, shares, until) for way in WAYS},
        staying=None if until is None else float(shares.staying[until]),
        median_days=_in_days(quantile_hours(shares, 0.5)),
        fast_days=_in_days(quantile_hours(shares, 0.1)),
        slow_days=_in_days(quantile_hours(shares, 0.9)),
    )


def _count_ends(visits: pd.DataFrame) -> Ends:
    """The visits to one stage as counts over time."""
    hours = np.sort(visits["hours"].unique())
    wide = visits.pivot_table(
        index="hours", columns="exit", values="visits", aggfunc="sum", fill_value=0
    )
    wide = wide.reindex(index=hours, columns=list(EXITS), fill_value=0)
    ended = {way: wide[way].to_numpy() for way in WAYS}
    return Ends(hours, ended, wide["open"].to_numpy())


def _last_with_enough(ends: Ends) -> int | None:
    """The place of the last time at which enough visits are in sight; None if there is none."""
    enough = np.flatnonzero(ends.at_risk() >= LEAST_VISITS)
    return int(enough[-1]) if len(enough) else None


def _describe_way(way: str, ends: Ends, shares: Shares, until: int | None) -> WayOut:
    """A way out, with its share up to a time, and the share of the finished visits alone."""
    counts = {name: int(ended.sum()) for name, ended in ends.ended.items()}
    finished = sum(counts.values())
    naive = counts[way] / finished if finished else None
    if until is None:
        return WayOut(visits=counts[way], share=None, low=None, high=None, of_finished=naive)
    share = float(shares.ended[way][until])
    error = float(shares.errors[way][until])
    return WayOut(
        visits=counts[way],
        share=share,
        low=max(share - Z * error, 0.0),
        high=min(share + Z * error, 1.0),
        of_finished=naive,
    )


def _in_days(hours: float | None) -> float | None:
    return None if hours is None else hours / HOURS
