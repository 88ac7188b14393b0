"""The section `routing` of the settings: who can be given leads, and what counts beside their value."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadscore.settings.sections import FilePath, Frozen
from leadscore.tables import CRITERIA


class RoutingMatch(Frozen):
    """Which field of a lead each list of a rep is compared with; a lead that does not say asks for nothing."""

    territories: str | None = Field(default=None, description="the lead's field, such as country")
    segments: str | None = Field(default=None, description="the lead's field, such as industry")
    languages: str | None = Field(default=None, description="the lead's field")
    skills: str | None = Field(
        default=None, description="the lead's field, such as the product asked for"
    )

    def columns(self) -> dict[str, str]:
        """The lead's field for each list that is compared, in the order of `CRITERIA`."""
        return {name: field for name in CRITERIA if (field := getattr(self, name))}


class RoutingSettings(Frozen):
    """Who should call: which leads are given to reps, and what counts beside their value.

    All costs are in average leads: 0.1 is a tenth of what a lead of this run is worth on average.
    """

    reps: FilePath = Field(
        description="the list of reps, relative to input_folder: .csv, .xlsx or .parquet"
    )
    match: RoutingMatch = RoutingMatch()
    tiers: tuple[Literal["A", "B", "C", "D"], ...] = Field(
        default=("A", "B", "C"), min_length=1, description="leads of these tiers are given to reps"
    )
    stickiness: float = Field(
        default=0.1, ge=0, le=1000, description="what it is worth that the owner keeps a lead"
    )
    change_costs: float = Field(
        default=0.05,
        ge=0,
        le=1000,
        description="what giving a lead to another rep than last time must bring",
    )
    fairness: float = Field(
        default=0.05,
        ge=0,
        le=1000,
        description="what it is worth to give a lead to an idle rep, not to a nearly full one",
    )
    fallback: tuple[Literal["territories", "segments", "languages", "skills"], ...] = Field(
        default=("segments", "skills"),
        description="what a team mate may lack where those who fit have no place",
    )
    fallback_costs: float = Field(
        default=0.2, ge=0, le=1000, description="what it costs to give a lead to a team mate"
    )
    explore_share: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="share of the leads of other tiers that are treated as of the best one",
    )
