"""The section `scorecard`: the points of the model that needs no history."""

from __future__ import annotations

from pydantic import Field

from leadscore.settings.base import Frozen, Points

STRENGTH = "points from the weakest to the strongest answer; unknown counts as the middle"


class Scorecard(Frozen):
    """Points of the scorecard, in log-odds: one point more multiplies the odds of a win by 2.7."""

    base_rate: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="share of leads you expect to win within the horizon; once leads have closed, "
        "it counts as one of them",
    )
    budget: Points = Field(default=1.5, description=STRENGTH)
    authority: Points = Field(default=1.5, description=STRENGTH)
    need: Points = Field(default=1.5, description=STRENGTH)
    timeline: Points = Field(default=1.5, description=STRENGTH)
    recency: Points = Field(
        default=0.4,
        description="points lost each time the last activity is 2.7 times as long ago; "
        "a week ago is neutral",
    )
    activity: Points = Field(
        default=0.25,
        description="points for 1.7 activities in 30 days, and again for 2.7 times as many",
    )
    response: Points = Field(
        default=1.0, description="points from all activities by the rep to all by the lead"
    )
