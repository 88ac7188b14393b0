"""How long visits stay in each stage, as curves to draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leadscore.funnel.competing import HOURS, estimate_shares, staying_after
from leadscore.funnel.stages import count_stage_ends
from leadscore.results.funnel import StayCurve, StayPoint

MOST_POINTS = 60


def describe_curves(visits: pd.DataFrame, stages: Sequence[str]) -> list[StayCurve]:
    """The curve of each stage with enough visits, in the stages' order.

    Args:
        visits: as `count_visits` returns them; those of the period count.
        stages: the open ones in their order.
    """
    now = visits[visits["period"] == "now"]
    curves = []
    for stage in stages:
        ends = count_stage_ends(now[now["stage"] == stage])
        last = ends.last_with_enough()
        if last is None:
            continue
        shares = estimate_shares(ends)
        points = [
            StayPoint(days=hours / HOURS, staying=staying_after(shares, hours))
            for hours in np.linspace(0, last, MOST_POINTS).tolist()
        ]
        curves.append(StayCurve(stage=stage, points=points))
    return curves
