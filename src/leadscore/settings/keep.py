"""Which of several rows of a lead counts: a key of sources and views."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from leadscore.settings.base import Frozen


class Keep(Frozen):
    """Of several rows of one lead in a file, the only one that is used; the others are ignored.

    The column is compared as numbers, amounts or times if all its values are such, else as text; a
    file in which only most of them are is refused. A missing value comes last. Among equals the
    larger text, then the later row counts for `latest`; for `first` the smaller text, then the
    earlier row.
    """

    latest: str | None = Field(
        default=None, min_length=1, description="column whose largest value decides"
    )
    first: str | None = Field(
        default=None, min_length=1, description="column whose smallest value decides"
    )

    @model_validator(mode="after")
    def _one_column(self) -> Self:
        if (self.latest is None) == (self.first is None):
            raise ValueError('give either latest or first, as in keep = { latest = "Updated" }')
        return self

    @property
    def column(self) -> str:
        """The column that decides."""
        return self.latest or self.first or ""
