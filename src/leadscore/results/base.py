"""The base of all results.

A result is frozen and checks what it is given. `to_dict` gives its JSON, and `from_dict` reads that back; keys that
earlier releases did not write have defaults, and those that only later ones write are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from leadscore.errors import UserError

# one sentence about a result; files of earlier releases call it `said`
Summary = Annotated[str, Field(validation_alias=AliasChoices("summary", "said"))]


class Result(BaseModel):
    """The base of all results: frozen, and checked."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON: dictionaries, lists, numbers and text."""
        return self.model_dump(mode="json", exclude_unset=True)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` gave, at whatever release."""
        return cls.model_validate(document)


def check_table(name: str, tables: Sequence[str]) -> None:
    """Raise a UserError if a result has no table of this name."""
    if name not in tables:
        raise UserError(f"there is no table {name!r}; there are {', '.join(tables)}")


class Interval(Result):
    """A number with its 95% interval; a bound is None where none could be computed."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Band(Result):
    """A number to come: its mean, and what 10, 50 and 90% of the simulated futures stay below."""

    mean: float
    low: float
    middle: float
    high: float
