"""The section `tiers`: which leads are A, B, C or D."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from leadscore.settings.base import Frozen
from leadscore.settings.limits import MOST_AMOUNT

Tier = Literal["A", "B", "C", "D"]
MARGINS = {"score": 2.0, "probability": 0.02, "capacity": 0.05}  # defaults


class Tiers(Frozen):
    """Where tiers A, B and C begin; all other leads are D."""

    by: Literal["score", "probability", "capacity"] = Field(
        default="score",
        description="what decides: the score, the win probability, or how many leads the team can "
        "work that are worth it",
    )
    a: float = Field(
        default=90, ge=0, le=100, description="score, or probability, from which a lead is A"
    )
    b: float = Field(
        default=70, ge=0, le=100, description="score, or probability, from which a lead is B"
    )
    c: float = Field(
        default=40, ge=0, le=100, description="score, or probability, from which a lead is C"
    )
    margin: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="how far past a border a lead must be to change its tier: points of score "
        "(default 2), probability (0.02) or, by capacity, a share of its rank (0.05)",
    )
    capacity: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        description="by capacity: leads in A; as many are B, and twice as many C; "
        "default: the capacity of the reps",
    )
    touch_cost: float = Field(
        default=0,
        ge=0,
        le=MOST_AMOUNT,
        description="by capacity: cost of contacting a lead; a lead whose expected value is not "
        "above it is D, whatever it was",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Tiers:
        if not self.a > self.b > self.c:
            raise ValueError(f"must fall: a > b > c, got {self.a}, {self.b}, {self.c}")
        if self.by == "probability" and self.a > 1:
            raise ValueError(
                f"by = 'probability': a, b and c are probabilities from 0 to 1, got a = {self.a}"
            )
        if self.by != "capacity" and self.capacity is not None:
            raise ValueError("capacity belongs to by = 'capacity'")
        if self.by != "capacity" and self.touch_cost:
            raise ValueError("touch_cost belongs to by = 'capacity'")
        return self

    def margin_or_default(self) -> float:
        """The margin, or the default for what decides."""
        return MARGINS[self.by] if self.margin is None else self.margin
