"""The section `publication`: how much a list may differ from the one before and still be published."""

from __future__ import annotations

from pydantic import Field

from leadscore.settings.base import Frozen

MOST = 1000  # a limit that no list reaches


class PublicationSettings(Frozen):
    """How much a list may differ from one published a week before; above a limit it is withheld.

    The limits grow with the square root of the time between the lists, and never shrink. The
    defaults are about three times the largest change that `bench/lists_week_by_week.py` measures
    over 40 sound weeks of the sample company with one model, except `max_top_lost`: three times as
    many of the first 20 cannot be lost.
    """

    max_size_change: float = Field(
        default=0.3, ge=0, le=MOST, description="share by which the list may grow or shrink"
    )
    max_mean_change: float = Field(
        default=0.35, ge=0, le=MOST, description="share by which its mean probability may change"
    )
    max_tier_change: float = Field(
        default=0.4,
        ge=0,
        le=MOST,
        description="sum of the changes in the tiers' shares of the list that is allowed",
    )
    max_value_change: float = Field(
        default=1.4, ge=0, le=MOST, description="share by which its expected value may change"
    )
    max_returned: float = Field(
        default=0.15,
        ge=0,
        le=MOST,
        description="share of the list that may be leads that existed before "
        "and were not on the previous list",
    )
    max_top_lost: float = Field(
        default=0.85, ge=0, le=MOST, description="share of the first 20 that may leave the first 20"
    )
