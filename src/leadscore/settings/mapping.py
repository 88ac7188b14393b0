"""The section `mapping`: how the rows of a source become rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, model_validator

from leadscore.settings.base import Frozen, Match

BEFORE = {"stages": "stage_before", "changes": "before"}  # table -> what it says of before a row
STAGE_NOW = "stage_now"  # of leads: their stage at the export
UNDATED_TABLES = ("leads", "outcomes")  # the others say when something happened
FEWEST_OF_ID = 2  # columns that are an id together


class Mapping(Frozen):
    """One entry: it turns rows of a source into rows of a table.

    In `where`, `where_not` and `values`, a value that ends in `*` matches what begins with it, and
    `""` matches a missing value.
    """

    source: str = Field(description="name of a source")
    table: Literal["leads", "changes", "activities", "stages", "outcomes", "scores"] = Field(
        description="table that the rows belong to; `scores` holds somebody else's scores, to be "
        "[judged](monitor.md#judge-your-present-score)"
    )
    columns: dict[str, str] = Field(
        description="leadscore's column -> the source's column; `lead_id` may have several, which are the id "
        'together: `lead_id = ["Region", "No"]`'
    )
    id_columns: tuple[str, ...] = Field(
        default=(),
        description="the columns that are the id together; the usual way to write them is the list "
        "in `columns`",
    )
    where: Match = Field(
        default={}, description="rows to select: column -> values; all columns must match"
    )
    where_not: Match = Field(
        default={}, description="rows to leave out: column -> values; any column may match"
    )
    values: dict[str, dict[str, dict[str, str]]] = Field(
        default={},
        description="value map: source column -> value -> leadscore's columns and the values they take",
    )
    constants: dict[str, str] = Field(
        default={}, description="leadscore's column -> the value it takes in every row"
    )

    @model_validator(mode="before")
    @classmethod
    def _take_list_for_id(cls, raw: object) -> object:
        """The entry with the list of columns under `lead_id` as its `id_columns`."""
        columns = raw.get("columns") if isinstance(raw, dict) else None
        if not isinstance(raw, dict) or not isinstance(columns, dict):
            return raw
        together = columns.get("lead_id")
        if not isinstance(together, list | tuple):
            return raw
        rest = {name: column for name, column in columns.items() if name != "lead_id"}
        return _with_id(raw, rest, together)

    @model_validator(mode="after")
    def _several_columns(self) -> Mapping:
        columns = self.id_columns
        if columns and (len(columns) < FEWEST_OF_ID or len(set(columns)) < len(columns)):
            raise ValueError(
                f"lead_id: the columns that are an id together must be two or more different ones, "
                f"got {list(columns)}"
            )
        return self

    def targets(self) -> set[str]:
        """Our columns that this entry fills."""
        filled = self.targets_of_one()
        return filled | {"lead_id"} if self.id_columns else filled

    def targets_of_one(self) -> set[str]:
        """Our columns that one column of the source, a constant or a value map fills."""
        return set(self.columns) | set(self.constants) | self.mapped_columns()

    def columns_of_id(self) -> tuple[str, ...]:
        """The source's columns that hold the id of the lead; none where it is no column."""
        one = self.columns.get("lead_id")
        return self.id_columns if one is None else (one,)

    def mapped_columns(self) -> set[str]:
        """Our columns that the value maps fill."""
        return {column for assigned in self._assignments() for column in assigned}

    def values_of(self, column: str) -> set[str]:
        """The values that the constants and value maps give to one of our columns."""
        assignments = [self.constants, *self._assignments()]
        return {assigned[column] for assigned in assignments if column in assigned}

    def sources(self) -> set[str]:
        """The source's columns that this entry reads."""
        named = {*self.columns.values(), *self.id_columns}
        return named | {*self.where, *self.where_not, *self.values}

    def _assignments(self) -> Iterator[dict[str, str]]:
        """For each value in a value map: our columns and what they take."""
        for by_value in self.values.values():
            yield from by_value.values()


def _with_id(
    raw: dict[str, Any],
    columns: dict[str, Any],
    together: list[Any] | tuple[Any, ...],
) -> dict[str, Any]:
    """A raw entry whose `lead_id` is one column, or several together."""
    if len(together) == 1:
        return raw | {"columns": columns | {"lead_id": together[0]}}
    return raw | {"columns": columns, "id_columns": together}
