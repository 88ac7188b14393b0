"""The section `list`: the order of the published list."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadscore.settings.base import Frozen


class ListOrder(Frozen):
    """In which order people work down the list."""

    by: Literal["probability", "expected value"] = Field(
        default="probability",
        description="what the leads are ordered by, the most first; leads without an expected value "
        "come last. Routing has its own: `routing.prefer`",
    )
