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
    kind = np.array([_name_move(stages, *move) for move in moves], dtype=object)
    is_allowed = np.array([stages.allows(*move) for move in moves], dtype=bool)

    first = now[now["is_first"] == 1]
    is_begin = np.array([stages.begins(stage) for stage in first["stage"]], dtype=bool)
    is_again = spells["spell"] > 1
    is_recent = spells["start_us"] >= span.since_us
    counts = history.count_irregular(span, visits=_add_up(now))
    return Irregular(
        skipped=_add_up(moved[kind == "skips"]),
        moved_back=_add_up(moved[kind == "back"]),
        changed_pipeline=_add_up(moved[kind == "into another pipeline"]),
        not_allowed=_add_up(moved[~is_allowed]),
        reopened=int((is_again & is_recent).sum()),
        entered_midway=_add_up(first[~is_begin]),
        **counts,
    )


def _name_move(stages: Stages, stage: str, following: str) -> str:
    """Where a move leads: within its pipeline "back", to the "next" stage or beyond ("skips")."""
    if stages.pipeline_of(stage) != stages.pipeline_of(following):
        return "into another pipeline"
    steps = stages.open.index(following) - stages.open.index(stage)
    if steps < 0:
        return "back"
    return "skips" if steps > 1 else "next"


def _add_up(visits: pd.DataFrame) -> int:
    """How many visits counted rows stand for."""
    total = visits["visits"].sum()
    return int(total)
