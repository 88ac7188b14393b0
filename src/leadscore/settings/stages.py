"""The section `stages`: the steps of the sales pipeline."""

from __future__ import annotations

from collections import Counter

from pydantic import Field, model_validator

from leadscore.settings.base import Frozen


class Stages(Frozen):
    """The stages of the sales pipeline."""

    open: tuple[str, ...] = Field(
        default=(), description="open stages in their order; entering one reopens a closed lead"
    )
    won: tuple[str, ...] = Field(default=(), description="stages that close a lead as won")
    lost: tuple[str, ...] = Field(default=(), description="stages that close a lead as lost")

    @model_validator(mode="after")
    def _no_repeats(self) -> Stages:
        counts = Counter(self.open + self.lost + self.won)
        repeated = [stage for stage, count in counts.items() if count > 1]
        if repeated:
            raise ValueError(f"the stage {repeated[0]!r} is named more than once")
        return self

    def closing(self) -> tuple[str, ...]:
        """The stages that close a lead."""
        return self.won + self.lost

    def order(self) -> dict[str, int]:
        """Each stage's rank: the open ones in their order, then the closing ones."""
        return {stage: rank for rank, stage in enumerate(self.open + self.lost + self.won)}
