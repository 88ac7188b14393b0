"""Where leads are lost, and for which stated reason."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from leadscore.funnel.competing import wilson_interval
from leadscore.results.losses import StageLoss

NO_STAGE = "(stage not known)"


def describe_losses(visits: pd.DataFrame, stages: Sequence[str]) -> list[StageLoss]:
    """The reasons of each stage, most frequent first, in the stages' order.

    Args:
        visits: as `count_visits_by_reason` returns them; those of the period count.
        stages: the open ones in their order.
    """
    is_lost = visits["exit"] == "lost"
    is_now = visits["period"] == "now"
    return _list_by_stage(visits[is_lost & is_now], stages)


def describe_lost_leads(lost: pd.DataFrame, stages: Sequence[str]) -> list[StageLoss]:
    """The same of leads, each by its last visit; those whose last stage is unknown come last.

    Args:
        lost: a row a lead that was lost: stage, "" where unknown, and reason.
        stages: the open ones in their order.
    """
    named = lost["stage"].replace("", NO_STAGE)
    losses = lost.assign(stage=named, visits=1)
    return _list_by_stage(losses, [*stages, NO_STAGE])


def _list_by_stage(losses: pd.DataFrame, stages: Sequence[str]) -> list[StageLoss]:
    by_reason = losses.groupby(["stage", "reason"], as_index=False)
    counts = by_reason.agg({"visits": "sum"})
    by_stage = dict(tuple(counts.groupby("stage")))
    described = []
    for stage in stages:
        if stage in by_stage:
            described += _describe_stage(stage, by_stage[stage])
    return described


def _describe_stage(stage: str, losses: pd.DataFrame) -> list[StageLoss]:
    total = int(losses["visits"].sum())
    ranked = losses.sort_values(["visits", "reason"], ascending=[False, True])
    described = []
    for row in ranked.to_dict("records"):
        visits = row["visits"]
        loss = StageLoss(
            stage=stage,
            reason=row["reason"],
            visits=visits,
            of_losses=total,
            share=wilson_interval(visits, total),
        )
        described.append(loss)
    return described
