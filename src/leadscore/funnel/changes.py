"""How the shares of the stages changed against the period before, and whether by chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from leadscore.funnel.comparing import compare_shares
from leadscore.funnel.competing import HOURS, Z, estimate_shares, share_and_error
from leadscore.funnel.stages import WAYS, count_stage_ends
from leadscore.results.base import Interval
from leadscore.results.funnel import ShareChange


def describe_changes(visits: pd.DataFrame, stages: Sequence[str]) -> list[ShareChange]:
    """The change of each share of each stage, in the stages' order.

    A stage is left out where one of the periods has too few visits in sight, a way where neither
    has a visit that ended so. Both shares are those within the same days: visits of the period
    before, which were followed for longer, would otherwise seem to end more often.

    Args:
        visits: as `count_visits` returns them.
        stages: the open ones in their order.
    """
    changes: list[ShareChange] = []
    for stage in stages:
        changes += _compare_stage(stage, visits[visits["stage"] == stage])
    if not changes:
        return []
    adjusted = false_discovery_control([change.p_value for change in changes])
    return [
        change.model_copy(update={"adjusted": float(p)})
        for change, p in zip(changes, adjusted, strict=True)
    ]


def _compare_stage(stage: str, visits: pd.DataFrame) -> list[ShareChange]:
    before = count_stage_ends(visits[visits["period"] == "before"])
    now = count_stage_ends(visits[visits["period"] == "now"])
    followed = (before.last_with_enough(), now.last_with_enough())
    if followed[0] is None or followed[1] is None:
        return []
    hours = min(followed[0], followed[1])
    shares_before = estimate_shares(before)
    shares_now = estimate_shares(now)

    changes = []
    for way in WAYS:
        old, old_error = share_and_error(shares_before, way, hours)
        new, new_error = share_and_error(shares_now, way, hours)
        p_value = compare_shares(before, now, way, hours=hours)
        if p_value is None:
            continue
        error = float(np.hypot(old_error, new_error))
        difference = new - old
        changes.append(
            ShareChange(
                stage=stage,
                way=way,
                within_days=hours / HOURS,
                visits_before=before.count(),
                visits=now.count(),
                before=old,
                now=new,
                difference=Interval(
                    value=difference, low=difference - Z * error, high=difference + Z * error
                ),
                p_value=p_value,
                adjusted=p_value,
            )
        )
    return changes
