"""What becomes of visits to each stage: how many move on, how many are lost, how fast."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pandas as pd

from leadscore.funnel.competing import (
    HOURS,
    UNKNOWN,
    Ends,
    Shares,
    count_ends,
    estimate_shares,
    in_days,
    quantile_hours,
    share_or_wilson,
    staying_after,
)
from leadscore.history.visits import EXITS, OTHER_PIPELINE
from leadscore.results.funnel import StageFlow, StageMove, WayOut
from leadscore.settings.stages import Stages

LEAST_FOLLOWED = 10  # visits of a group, for its shares to be stated
WAYS = tuple(way for way in EXITS if way != "open")
WAYS_OF_ONE = tuple(way for way in WAYS if way != OTHER_PIPELINE)


def describe_stages(visits: pd.DataFrame, stages: Stages) -> list[StageFlow]:
    """The open stages in their order, each with its shares, its speed and the naive share.

    Args:
        visits: as `count_visits` returns them; those of the period count, and of the earlier ones
            those that have not ended, as stalled.
        stages: of the sales pipeline.
    """
    by_stage = dict(tuple(visits.groupby("stage")))
    empty = visits.iloc[:0]
    return [_describe_stage(stage, by_stage.get(stage, empty), stages) for stage in stages.open]


def describe_stages_of_group(
    visits: pd.DataFrame,
    stages: Stages,
    overall: Sequence[StageFlow],
) -> list[StageFlow]:
    """The same of a group, with the shares within the days of all visits, so that groups compare.

    The shares of a stage are None unless `LEAST_FOLLOWED` of its visits were followed for so long.

    Args:
        visits: of the group.
        stages: of the sales pipeline.
        overall: the stages of all groups together.
    """
    by_stage = dict(tuple(visits.groupby("stage")))
    empty = visits.iloc[:0]
    return [
        _describe_stage(whole.stage, by_stage.get(whole.stage, empty), stages, whole=whole)
        for whole in overall
    ]


def describe_moves(visits: pd.DataFrame, stages: Stages) -> list[StageMove]:
    """How many visits of the period led from each stage to each other, in the stages' order."""
    is_now = visits["period"] == "now"
    moved = visits[is_now & visits["next_stage"].notna()]
    by_pair = moved.groupby(["stage", "next_stage"])["visits"].sum()
    counts = by_pair.to_dict()

    moves = []
    for stage, following in product(stages.open, repeat=2):
        count = counts.get((stage, following))
        if count is None:
            continue
        move = StageMove(
            stage=stage,
            next_stage=following,
            visits=int(count),
            is_allowed=stages.allows(stage, following),
        )
        moves.append(move)
    return moves


def count_stage_ends(visits: pd.DataFrame) -> Ends:
    """Visits to one stage as counts over time."""
    return count_ends(
        visits["hours"].to_numpy(),
        visits["exit"].to_numpy(),
        visits["visits"].to_numpy(),
        names=WAYS,
    )


def _describe_stage(
    stage: str,
    all_visits: pd.DataFrame,
    stages: Stages,
    *,
    whole: StageFlow | None = None,
) -> StageFlow:
    visits = all_visits[all_visits["period"] == "now"]
    ends = count_stage_ends(visits)
    shares = estimate_shares(ends)
    until = ends.last_with_enough() if whole is None else _common_time(ends, whole)
    slow_days = in_days(quantile_hours(shares, 0.9))
    stalled_days = stages.stalled_days.get(stage, slow_days)
    ways = WAYS if stages.pipelines else WAYS_OF_ONE
    return StageFlow(
        stage=stage,
        visits=ends.count(),
        unfinished=int(ends.unfinished.sum()),
        within_days=in_days(until) if whole is None else whole.within_days,
        ways={way: _describe_way(way, ends, shares, until) for way in ways},
        staying=None if until is None else staying_after(shares, until),
        median_days=in_days(quantile_hours(shares, 0.5)),
        fast_days=in_days(quantile_hours(shares, 0.1)),
        slow_days=slow_days,
        is_qualification=stage in stages.qualification,
        stalled_after_days=stalled_days,
        stalled=_count_stalled(all_visits, stalled_days),
        pipeline=stages.pipeline_of(stage),
    )


def _common_time(ends: Ends, whole: StageFlow) -> float | None:
    """The hours within which all visits are counted; None if too few of these were followed so long."""
    if whole.within_days is None:
        return None
    hours = whole.within_days * HOURS
    return hours if ends.followed_for(hours) >= LEAST_FOLLOWED else None


def _count_stalled(visits: pd.DataFrame, days: float | None) -> int:
    """How many leads are in the stage for more than so many days."""
    if days is None:
        return 0
    is_open = visits["exit"] == "open"
    is_long = visits["hours"] > days * HOURS
    stalled = visits.loc[is_open & is_long, "visits"]
    return int(stalled.sum())


def _describe_way(way: str, ends: Ends, shares: Shares, until: float | None) -> WayOut:
    """A way out, with its share up to a time, and the share of the finished visits alone."""
    counts = {name: int(ended.sum()) for name, ended in ends.ended.items()}
    finished = sum(counts.values())
    estimate = UNKNOWN if until is None else share_or_wilson(ends, shares, way, until)
    return WayOut(
        visits=counts[way],
        share=estimate.value,
        low=estimate.low,
        high=estimate.high,
        of_finished=counts[way] / finished if finished else None,
    )
