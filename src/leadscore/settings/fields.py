"""The section `fields`: the attributes of a lead."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadscore.settings.base import Amount, Frozen
from leadscore.tables import PERSONAL

TIMES = ("event_at", "available_at", "event_us", "available_us", "sequence")
HASHES = tuple(f"{name}_hash" for name in PERSONAL)
STAGED = ("part", "line", "extra", "from_us", "same_id", "copy", "broken_rule", *HASHES)
OF_LOGS = ("stage_now", "before")  # what an entry can give beside fields, for logs of changes
# no field can have these names
RESERVED = {"lead_id", "currency", "spell", "seq", "known_until_us", *TIMES, *STAGED, *OF_LOGS}


class LeadField(Frozen):
    """An attribute of a lead."""

    type: Literal["text", "number", "date"] = Field(
        default="text", description="how the values are read"
    )
    decimals: int = Field(
        default=2, ge=0, le=9, description="decimal places stored of a number; the rest is rounded"
    )
    known_from: Literal["creation", "export"] | None = Field(
        default=None,
        description="`creation` if the value in `leads` was known when the lead was created, "
        "`export` if from the first export that shows it; otherwise the model learns only from its "
        "rows in `changes`. Without dates, `creation` confirms the field",
    )
    minimum: Amount | None = Field(
        default=None, description="a number below it breaks the rule `range`"
    )
    maximum: Amount | None = Field(
        default=None, description="a number above it breaks the rule `range`"
    )
    label: str | None = Field(default=None, description="what people call it; default: its name")
    zero: bool = Field(
        default=False,
        description="whether an amount of 0 is one; otherwise it counts as missing in the list's "
        "`amount` and `expected_value`, and in revenue",
    )
    sentence: str | None = Field(
        default=None,
        description="how a reason says a value, such as `Came by {value}`; default: label and value",
    )
    learn: bool | None = Field(
        default=None,
        description="whether the model may learn from it; default: yes, except for fields that "
        "name your own people, such as `owner_id`",
    )
