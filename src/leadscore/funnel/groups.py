"""Conversion and speed by what leads have in common, as was known at a moment."""

from __future__ import annotations

import pandas as pd

from leadscore.funnel.competing import estimate_shares, in_days, quantile_hours
from leadscore.funnel.spells import count_endings, share_of_leads
from leadscore.funnel.stages import describe_stages, describe_stages_of_group
from leadscore.history.visits import Span
from leadscore.results.funnel import FunnelGroup, StageFlow
from leadscore.settings.stages import Stages


def add_up_parts(visits: pd.DataFrame) -> pd.DataFrame:
    """Visits as `count_visits` returns them, of all parts together."""
    keys = ["period", "stage", "exit", "next_stage", "is_first", "reason", "hours"]
    return visits.groupby(keys, as_index=False, dropna=False).agg({"visits": "sum"})


def describe_groups(
    spells: pd.DataFrame,
    visits: pd.DataFrame,
    stages: Stages,
    span: Span,
    *,
    within_days: float,
) -> list[FunnelGroup]:
    """The groups with leads that began in the period, most leads first.

    A spell counts as one lead.

    Args:
        spells: as `list_endings` returns them, with the column part.
        visits: as `count_visits` returns them for the same parts.
        stages: of the sales pipeline.
        span: the period.
        within_days: in which leads count as won or lost, the same for all groups.
    """
    begun = spells[spells["start_us"] >= span.since_us]
    overall = describe_stages(visits, stages)
    groups = []
    for value, leads in begun.groupby("part"):
        of_group = visits[visits["part"] == value]
        flows = describe_stages_of_group(of_group, stages, overall)
        group = _describe_group(
            str(value), leads, flows, within_days=within_days, known_us=span.known_us
        )
        groups.append(group)
    return sorted(groups, key=lambda group: (-group.leads, group.value))


def _describe_group(
    value: str,
    leads: pd.DataFrame,
    flows: list[StageFlow],
    *,
    within_days: float,
    known_us: int,
) -> FunnelGroup:
    shares = estimate_shares(count_endings(leads))
    return FunnelGroup(
        value=value,
        leads=len(leads),
        open=int((leads["ending"] == "open").sum()),
        within_days=within_days,
        won=share_of_leads(leads, "won", within_days, known_us=known_us),
        lost=share_of_leads(leads, "lost", within_days, known_us=known_us),
        median_days=in_days(quantile_hours(shares, 0.5)),
        stages=flows,
    )
