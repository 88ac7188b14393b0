"""The section `bant`: which fields answer the four questions about budget, authority, need, timeline."""

from __future__ import annotations

from pydantic import Field, model_validator

from leadscore.settings.base import Days, Frozen, Share
from leadscore.settings.limits import MOST_AMOUNT


class BantLetter(Frozen):
    """How one field becomes the strength, from 0 to 1, of one letter of BANT.

    Exactly one of `levels`, `titles`, `full_amount` and `within_days` is given.
    """

    field: str = Field(description="field that answers the question")
    levels: tuple[str, ...] = Field(
        default=(), description="its answers from weakest to strongest, evenly spaced from 0 to 1"
    )
    titles: tuple[tuple[str, Share], ...] = Field(
        default=(),
        description='pairs of pattern and strength, like `[["*chief*", 1.0], ["*", 0.3]]`; the '
        "first match counts, in upper or lower case",
    )
    full_amount: float | None = Field(
        default=None, gt=0, le=MOST_AMOUNT, description="amount from which the strength is 1"
    )
    within_days: tuple[Days, Days] | None = Field(
        default=None,
        description="two numbers of days ahead, like `[30, 365]`: a date up to the first has "
        "strength 1, one from the second on has 0",
    )

    @model_validator(mode="after")
    def _exactly_one_way(self) -> BantLetter:
        ways = [self.levels, self.titles, self.full_amount, self.within_days]
        if sum(bool(way) for way in ways) != 1:
            raise ValueError("give exactly one of levels, titles, full_amount, within_days")
        distinct = set(self.levels)
        if len(self.levels) == 1 or len(distinct) < len(self.levels):
            raise ValueError("levels must be two or more different answers")
        if self.within_days and not 0 <= self.within_days[0] < self.within_days[1]:
            raise ValueError(
                "within_days must be two rising numbers of days, the first not negative"
            )
        return self

    def field_type(self) -> str:
        """The type that the field must have for the chosen way."""
        if self.full_amount:
            return "number"
        if self.within_days:
            return "date"
        return "text"
