"""Leads that wait: stalled in a stage, or never touched by a rep."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from leadscore.funnel.competing import HOURS, Shares, estimate_shares, staying_after
from leadscore.funnel.stages import count_stage_ends
from leadscore.results.funnel import StageFlow
from leadscore.results.losses import Untouched, WaitingLead

MOST = 50  # leads that are named


def list_stalled(
    open_visits: pd.DataFrame, visits: pd.DataFrame, flows: Sequence[StageFlow]
) -> list[WaitingLead]:
    """The stalled leads, the most unusual first, `MOST` at most.

    Args:
        open_visits: as `read_open_visits` returns them.
        visits: as `count_visits` returns them.
        flows: the stages, which say from when on a lead is stalled.
    """
    is_now = visits["period"] == "now"
    now = visits[is_now]
    stalled = []
    for flow in flows:
        if flow.stalled_after_days is None:
            continue
        is_here = open_visits["stage"] == flow.stage
        is_long = open_visits["hours"] > flow.stalled_after_days * HOURS
        waiting = open_visits[is_here & is_long]
        of_stage = now[now["stage"] == flow.stage]
        stalled += _describe_stage(flow, waiting, of_stage)
    stalled.sort(key=_unusual)
    return stalled[:MOST]


def _describe_stage(
    flow: StageFlow, waiting: pd.DataFrame, visits: pd.DataFrame
) -> list[WaitingLead]:
    ends = count_stage_ends(visits)
    shares = estimate_shares(ends)
    last = ends.last_with_enough()
    return [
        WaitingLead(
            lead_id=str(lead_id),
            stage=flow.stage,
            days=hours / HOURS,
            lasted_longer=_share_longer(shares, hours, last),
            visits=flow.visits,
        )
        for lead_id, hours in zip(waiting["lead_id"], waiting["hours"], strict=True)
    ]


def _share_longer(shares: Shares, hours: float, last: float | None) -> float | None:
    """The share of visits that take longer; beyond `last` it is at most the share at `last`."""
    return None if last is None else staying_after(shares, min(hours, last))


def _unusual(lead: WaitingLead) -> tuple[float, float, str]:
    share = 1.0 if lead.lasted_longer is None else lead.lasted_longer
    return share, -lead.days, lead.lead_id


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
    is_touched = spells["lead_id"].isin(first_worked.index)
    waiting = spells[is_open & ~is_touched]
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
