"""How much in the histories of a period is irregular, each kind with its count."""

from __future__ import annotations

import numpy as np
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
    before = moved["stage"]
    after = moved["next_stage"]
    # without a move both are empty columns of text, which mapping leaves as they are
    steps = after.map(place).astype(float) - before.map(place).astype(float)
    is_outside = [
        not stages.allows(stage, following) for stage, following in zip(before, after, strict=True)
    ]
    is_first = now["is_first"] == 1
    is_midway = is_first & (now["stage"] != stages.open[0])
    is_again = spells["spell"] > 1
    is_reopened = is_again & (spells["start_us"] >= span.since_us)

    counts = history.count_irregular(span, visits=_add_up(now))
    return Irregular(
        skipped=_add_up(moved[steps > 1]),
        moved_back=_add_up(moved[steps < 0]),
        not_allowed=_add_up(moved[np.array(is_outside, dtype=bool)]),
        reopened=int(is_reopened.sum()),
        entered_midway=_add_up(now[is_midway]),
        **counts,
    )


def _add_up(visits: pd.DataFrame) -> int:
    """How many visits counted rows stand for."""
    total = visits["visits"].sum()
    return int(total)
