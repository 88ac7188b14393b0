"""The section `routing`: which reps are given which leads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadscore.settings.base import FilePath, Frozen
from leadscore.settings.tiers import Tier
from leadscore.tables import CRITERIA


class RoutingMatch(Frozen):
    """Which field of a lead each list of a rep is compared with; a lead without a value fits every rep."""

    territories: str | None = Field(default=None, description="field of the lead, such as country")
    segments: str | None = Field(default=None, description="field of the lead, such as industry")
    languages: str | None = Field(default=None, description="field of the lead")
    skills: str | None = Field(
        default=None, description="field of the lead, such as the product asked for"
    )

    def columns(self) -> dict[str, str]:
        """The lead's field for each list that is compared, in the order of `CRITERIA`."""
        fields = {name: getattr(self, name) for name in CRITERIA}
        return {name: field for name, field in fields.items() if field}


class RoutingSettings(Frozen):
    """Which leads are given to reps, and what counts besides their value.

    All costs are in average leads: 0.1 is a tenth of what an average lead of this run is worth.
    """

    reps: FilePath = Field(
        description="the list of reps, relative to `input_folder`: .csv, .xlsx or .parquet"
    )
    match: RoutingMatch = RoutingMatch()
    tiers: tuple[Tier, ...] = Field(
        default=("A", "B", "C"), min_length=1, description="tiers whose leads are given to reps"
    )
    prefer: Literal["tier", "value"] = Field(
        default="tier",
        description="`tier`: leads of a better tier get slots first, and value decides within a "
        "tier; `value`: value alone decides",
    )
    stickiness: float = Field(
        default=0.1, ge=0, le=1000, description="what it is worth that a lead stays with its owner"
    )
    change_costs: float = Field(
        default=0.05,
        ge=0,
        le=1000,
        description="what it costs to give a lead to a different rep than last time",
    )
    fairness: float = Field(
        default=0.05,
        ge=0,
        le=1000,
        description="what it is worth to give a lead to an idle rep rather than a nearly full one",
    )
    fallback: tuple[Literal["territories", "segments", "languages", "skills"], ...] = Field(
        default=("segments", "skills"),
        description="criteria that a team mate need not meet where all reps who do are full; "
        "`[]`: no fallback",
    )
    fallback_costs: float = Field(
        default=0.2, ge=0, le=1000, description="what it costs to fall back on a team mate"
    )
    explore_share: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="share of the leads of other tiers that are treated as if they were "
        "in the best tier",
    )
