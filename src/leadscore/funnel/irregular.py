"""How much in the histories of a period is irregular, each kind with its count."""

from __future__ import annotations

import pandas as pd

from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.results.funnel import Irregular


def describe_irregular(
    history: History, visits: pd.DataFrame, spells: pd.DataFrame, span: Span
) -> Irregular:
    """What is irregular in the histories of a period; `history.visits` says how it is counted.

    Args:
        history: of the project.
        visits: as `count_visits` returns them.
        spells: as known at the end of the span.
        span: the period.
    """
    stages = history.settings.stages
    place = {stage: at for at, stage in enumerate(stages.open)}
    now = visits[visits["period"] == "now"]
    moved = now[now["next_stage"].notna()]
    steps = moved["next_stage"].map(place) - moved["stage"].map(place)
    pairs = zip(moved["stage"], moved["next_stage"], strict=True)
    is_outside = [not stages.allows(stage, following) for stage, following in pairs]
    is_midway = (now["is_first"] == 1) & (now["stage"] != stages.open[0])
    is_reopened = (spells["spell"] > 1) & (spells["start_us"] >= span.since_us)
    return Irregular(
        skipped=int(moved.loc[steps > 1, "visits"].sum()),
        moved_back=int(moved.loc[steps < 0, "visits"].sum()),
        not_allowed=int(moved.loc[is_outside, "visits"].sum()),
        reopened=int(is_reopened.sum()),
        entered_midway=int(now.loc[is_midway, "visits"].sum()),
        **history.count_irregular(span, visits=int(now["visits"].sum())),
    )
