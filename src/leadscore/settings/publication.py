"""The section `publication` of the settings: how unlike the list before a list may be and still be published."""

from __future__ import annotations

from pydantic import Field

from leadscore.settings.sections import Frozen

MOST = 1000  # a limit that no list reaches


class PublicationSettings(Frozen):
    """Limits for lists a week apart; they grow with the square root of the time between, and never shrink.

    The defaults are about three times the largest that `bench/lists_week_by_week.py` measures over 40 right weeks of
    the sample company with one model; of the first 20 three times as many cannot be lost.
    """

    max_size_change: float = Field(
        default=0.3, ge=0, le=MOST, description="share by which the list may grow or shrink"
    )
    max_mean_change: float = Field(
        default=0.35, ge=0, le=MOST, description="share by which its mean probability may move"
    )
    max_tier_change: float = Field(
        default=0.4, ge=0, le=MOST, description="how much the tiers' shares of the list may change"
    )
    max_value_change: float = Field(
        default=1.4, ge=0, le=MOST, description="share by which the expected value may move"
    )
    max_returned: float = Field(
        default=0.15,
        ge=0,
        le=MOST,
        description="share of the list that existed before, but was not on the list before",
    )
    max_top_lost: float = Field(
        default=0.85, ge=0, le=MOST, description="share of the first 20 that may leave the first 20"
    )
