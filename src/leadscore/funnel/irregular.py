"""How much in the histories of a period is irregular, each kind with its count."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.results.funnel import Irregular
from leadscore.settings.stages import Stages


def describe_irregular(
    history: History,
    visits: pd.DataFrame,
    spells: pd.DataFrame,
    span: Span,
) -> Irregular:
    """What is irregular in the histories of a period; `history.visits` says how it is counted.

    Args:
        history: of the project.
        visits: as `count_visits` returns them.
        spells: as known at the end of the span.
        span: the period.
    """
    stages = history.settings.stages
    now = visits[visits["period"] == "now"]
    moved = now[now["next_stage"].notna()]
    moves = list(zip(moved["stage"], moved["next_stage"], strict=True))
    steps = np.array([_count_steps(stages, *move) for move in moves], dtype=int)
    is_between = np.array([_is_between(stages, *move) for move in moves], dtype=bool)
    is_outside = np.array([not stages.allows(*move) for move in moves], dtype=bool)
    is_midway = np.array([not stages.begins(stage) for stage in now["stage"]], dtype=bool)
    is_first = (now["is_first"] == 1).to_numpy()
    is_again = spells["spell"] > 1
    is_reopened = is_again & (spells["start_us"] >= span.since_us)

    counts = history.count_irregular(span, visits=_add_up(now))
    return Irregular(
        skipped=_add_up(moved[(steps > 1) & ~is_between]),
        moved_back=_add_up(moved[(steps < 0) & ~is_between]),
        changed_pipeline=_add_up(moved[is_between]),
        not_allowed=_add_up(moved[is_outside]),
        reopened=int(is_reopened.sum()),
        entered_midway=_add_up(now[is_first & is_midway]),
        **counts,
    )


def _count_steps(stages: Stages, stage: str, following: str) -> int:
    """How many stages further a move leads; below 0 if back."""
    return stages.open.index(following) - stages.open.index(stage)


def _is_between(stages: Stages, stage: str, following: str) -> bool:
    """Whether a move leads into another pipeline."""
    return stages.pipeline_of(stage) != stages.pipeline_of(following)


def _add_up(visits: pd.DataFrame) -> int:
    """How many visits counted rows stand for."""
    total = visits["visits"].sum()
    return int(total)
