"""The section `actions`: what to do next with a lead."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadscore.settings.base import Frozen
from leadscore.settings.limits import MOST_DAYS

Action = Literal["call", "demo", "proposal", "revive", "ask for a decision", "nurture", "close out"]


class Actions(Frozen):
    """What to do next with a lead, by its stage and its recent activity."""

    by_stage: dict[str, Action] = Field(
        default={},
        description="open stage -> action; default: by the stage's place in the pipeline, and "
        "`nurture` in tier D",
    )
    revive_days: float = Field(
        default=30,
        gt=0,
        le=MOST_DAYS,
        description="days without activity after which the action is `revive`",
    )
    stalled_times: float = Field(
        default=3,
        gt=0,
        le=1000,
        description="a lead in tier D that has been in its stage for so many times the usual time "
        "gets the action `close out`",
    )
