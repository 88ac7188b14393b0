"""Leads that wait: stalled in a stage, or never touched by a rep."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore.funnel.competing import HOURS, estimate_shares
from leadscore.funnel.stages import count_stage_ends
from leadscore.results.funnel import StageFlow
from leadscore.results.losses import Untouched, WaitingLead
from leadscore.times import DAY_US

MOST = 50  # leads that are named
RESPONDS_DAYS = 30


def find_stalled(
    open_visits: pd.DataFrame,
    visits: pd.DataFrame,
    flows: Sequence[StageFlow],
) -> pd.DataFrame:
    """The stalled leads, the most unusual first.

    Columns: lead_id; stage; hours in it; share, of the visits to the stage that take longer, NaN if
    too few were followed; is_longest, whether no visit that has ended took as long; visits, on
    which that rests.

    Args:
        open_visits: as `read_open_visits` returns them.
        visits: as `count_visits` returns them.
        flows: the stages, which say from when on a lead is stalled.
    """
    is_now = visits["period"] == "now"
    now = visits[is_now]
    by_stage = []
    for flow in flows:
        if flow.stalled_after_days is None:
            continue
        is_here = open_visits["stage"] == flow.stage
        is_long = open_visits["hours"] > flow.stalled_after_days * HOURS
        of_stage = now[now["stage"] == flow.stage]
        waiting = _compare_ages(open_visits[is_here & is_long], of_stage)
        by_stage.append(waiting.assign(visits=flow.visits))
    if not by_stage:
        return open_visits.iloc[:0].assign(share=np.nan, is_longest=False, visits=0)
    stalled = pd.concat(by_stage)
    return stalled.sort_values(
        ["is_longest", "share", "hours", "lead_id"],
        ascending=[False, True, False, True],
    )


def describe_stalled(stalled: pd.DataFrame) -> list[WaitingLead]:
    """The first `MOST` of the stalled leads, as `find_stalled` returns them."""
    return [_describe_waiting(row) for row in stalled.head(MOST).to_dict("records")]


def describe_undecided(
    stalled: pd.DataFrame,
    responded: pd.Series[int],
    *,
    known_us: int,
) -> list[WaitingLead]:
    """The stalled leads that still respond: in indecision, and to be decided either way.

    `MOST` at most. Who did anything in the last `RESPONDS_DAYS` responds.

    Args:
        stalled: as `find_stalled` returns them.
        responded: when the lead itself last did anything, by lead_id.
        known_us: the moment by which that is known.
    """
    last_us = stalled["lead_id"].map(responded).astype(float)
    still_responds = last_us >= known_us - RESPONDS_DAYS * DAY_US
    return describe_stalled(stalled[still_responds])


def _compare_ages(waiting: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """Waiting leads with the share of visits to their stage that take longer, NaN if too few were followed.

    Beyond the longest visit that has ended it is at most the share then.
    """
    ends = count_stage_ends(visits)
    if ends.last_with_enough() is None:
        return waiting.assign(share=np.nan, is_longest=False)
    shares = estimate_shares(ends)
    hours = waiting["hours"]
    past = np.searchsorted(shares.hours, hours, side="right")
    staying = np.concatenate([[1.0], shares.staying])
    ended = np.sum(list(ends.ended.values()), axis=0)
    longest = ends.hours[ended > 0].max(initial=0.0)
    return waiting.assign(share=staying[past], is_longest=hours > longest)


def _describe_waiting(lead: Mapping[Hashable, Any]) -> WaitingLead:
    share = lead["share"]
    return WaitingLead(
        lead_id=str(lead["lead_id"]),
        stage=str(lead["stage"]),
        days=lead["hours"] / HOURS,
        lasted_longer=None if np.isnan(share) else share,
        visits=lead["visits"],
        longer_than_any=bool(lead["is_longest"]),
    )


def describe_untouched(
    spells: pd.DataFrame,
    open_visits: pd.DataFrame,
    first_worked: pd.Series[int],
) -> Untouched:
    """The open leads about which no rep has done anything.

    Args:
        spells: as `list_endings` returns them.
        open_visits: as `read_open_visits` returns them.
        first_worked: when a rep first did something, by lead_id.
    """
    is_open = spells["ending"] == "open"
    worked_us = spells["lead_id"].map(first_worked)  # ten times as fast as isin
    waiting = spells[is_open & worked_us.isna()]
    ranked = waiting.sort_values(["hours", "lead_id"], ascending=[False, True])
    longest = ranked[:MOST]
    stage_of = open_visits.set_index("lead_id")["stage"]
    stages = longest["lead_id"].map(stage_of).fillna("")
    median_days = None
    if len(waiting):
        median_days = float(waiting["hours"].median()) / HOURS
    return Untouched(
        leads=len(waiting),
        of_open=int(is_open.sum()),
        median_days=median_days,
        longest=[
            WaitingLead(
                lead_id=str(lead_id),
                stage=str(stage),
                days=hours / HOURS,
            )
            for lead_id, stage, hours in zip(
                longest["lead_id"], stages, longest["hours"], strict=True
            )
        ],
    )
