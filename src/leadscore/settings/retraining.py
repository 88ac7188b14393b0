"""The section `retraining`: when to train again, and when to go back to the previous champion."""

from __future__ import annotations

from pydantic import Field

from leadscore.settings.base import Frozen
from leadscore.settings.limits import MOST_DAYS


class RetrainingSettings(Frozen):
    """When `train --if-due` trains, and what `monitor --act` does about a model that fails."""

    every_days: float | None = Field(
        default=7, gt=0, le=MOST_DAYS, description="train again after so many days of new data"
    )
    on_alarm: bool = Field(
        default=True,
        description="train again after an alarm that newer data may cure: of calibration, or of the "
        "values of a feature on which a tenth of the score rests",
    )
    new_outcomes: int | None = Field(
        default=None,
        ge=1,
        le=10**9,
        description="train again once so many leads have closed since; default: never for that",
    )
    rollback: bool = Field(
        default=True,
        description="go back to the previous champion once the settled lists of this one clearly "
        "break `model.max_calibration_error` or `model.max_bias`, and the one before is clearly "
        "better on the same leads",
    )
    weigh_exploration: bool = Field(
        default=False,
        description="for a team that works only the leads it is given: snapshots of leads that a "
        "list gave to nobody are not learned from, and [explored](routing.md#exploration) ones "
        "count for them, by the inverse of their probability of being drawn",
    )
    shadow: bool = Field(
        default=False,
        description="let the challenger score every list as well; its list is written to `shadow/` "
        "and never published",
    )
