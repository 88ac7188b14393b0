"""Where leads are lost, and for which stated reason."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from leadscore.funnel.competing import wilson_interval
from leadscore.results.losses import StageLoss


def describe_losses(visits: pd.DataFrame, stages: Sequence[str]) -> list[StageLoss]:
    """The reasons of each stage, most frequent first, in the stages' order.

    Args:
        visits: as `count_visits_by_reason` returns them; those of the period count.
        stages: the open ones in their order.
    """
    is_lost = visits["exit"] == "lost"
    lost = visits[is_lost & (visits["period"] == "now")]
    by_reason = lost.groupby(["stage", "reason"], as_index=False)
    losses = by_reason.agg({"visits": "sum"})
    by_stage = dict(tuple(losses.groupby("stage")))
    described = []
    for stage in stages:
        if stage in by_stage:
            described += _describe_stage(stage, by_stage[stage])
    return described


def _describe_stage(stage: str, losses: pd.DataFrame) -> list[StageLoss]:
    total = int(losses["visits"].sum())
    ranked = losses.sort_values(["visits", "reason"], ascending=[False, True])
    return [
        StageLoss(
            stage=stage,
            reason=str(reason),
            visits=int(visits),
            of_losses=total,
            share=wilson_interval(int(visits), total),
        )
        for reason, visits in zip(ranked["reason"], ranked["visits"], strict=True)
    ]
