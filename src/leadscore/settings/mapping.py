"""The section `mapping`: how the rows of a source become rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from leadscore.settings.base import Frozen, Match

UNDATED_TABLES = ("leads", "outcomes")  # the others say when something happened


class Mapping(Frozen):
    """One entry: it turns rows of a source into rows of a table.

    In `where`, `where_not` and `values`, a value that ends in `*` matches what begins with it, and
    `""` matches a missing value.
    """

    source: str = Field(description="name of a source")
    table: Literal["leads", "changes", "activities", "stages", "outcomes"] = Field(
        description="table that the rows belong to"
    )
    columns: dict[str, str] = Field(description="our column -> the source's column")
    where: Match = Field(
        default={}, description="rows to select: column -> values; all columns must match"
    )
    where_not: Match = Field(
        default={}, description="rows to leave out: column -> values; any column may match"
    )
    values: dict[str, dict[str, dict[str, str]]] = Field(
        default={},
        description="value map: source column -> value -> our columns and the values they take",
    )
    constants: dict[str, str] = Field(
        default={}, description="our column -> the value it takes in every row"
    )

    def targets(self) -> set[str]:
        """Our columns that this entry fills."""
        return set(self.columns) | set(self.constants) | self.mapped_columns()

    def mapped_columns(self) -> set[str]:
        """Our columns that the value maps fill."""
        return {column for assigned in self._assignments() for column in assigned}

    def values_of(self, column: str) -> set[str]:
        """The values that the constants and value maps give to one of our columns."""
        assignments = [self.constants, *self._assignments()]
        return {assigned[column] for assigned in assignments if column in assigned}

    def sources(self) -> set[str]:
        """The source's columns that this entry reads."""
        return {*self.columns.values(), *self.where, *self.where_not, *self.values}

    def _assignments(self) -> Iterator[dict[str, str]]:
        """For each value in a value map: our columns and what they take."""
        for by_value in self.values.values():
            yield from by_value.values()
