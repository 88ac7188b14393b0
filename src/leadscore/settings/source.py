"""The section `sources`: where the exported files are, and how they are written."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from leadscore.settings.base import FilePath, Frozen, Match, Name, Zone

NOT_DELIMITERS = "\"'\r\n\0"


class Source(Frozen):
    """The files of one export. Whatever is left out is detected from the files, and reported."""

    path: FilePath = Field(
        description="a file, a folder or a pattern like `events/2026-*.csv.gz`, relative to "
        "`input_folder`; files end in .csv, .tsv (both also with .gz), .xlsx or .parquet"
    )
    sheet: str | None = Field(
        default=None, description="name of the Excel sheet; required if the file has several"
    )
    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="character between the values of a text file; default: detected",
    )
    encoding: str | None = Field(
        default=None, description="encoding of a text file, such as `cp1252`; default: detected"
    )
    header: bool | None = Field(
        default=None,
        description="whether the first row holds the column names; if `false`, the columns are "
        "called `1`, `2`, ...; default: detected",
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="decimal mark; default: detected"
    )
    dates: Literal["dmy", "mdy"] | None = Field(
        default=None,
        description="order of day and month in dates like 03/04/2025, which are refused without it",
    )
    timezone: Zone | None = Field(
        default=None,
        description="time zone of times that state none; default: the project's `timezone`",
    )
    known_until_column: str | None = Field(
        default=None,
        description="column that holds the moment of the export; its latest value counts",
    )
    ignore: dict[Name, Match] = Field(
        default={},
        description="rows to leave out, grouped under names of your choice: column -> values",
    )

    @field_validator("delimiter")
    @classmethod
    def _can_separate(cls, value: str | None) -> str | None:
        if value is not None and value in NOT_DELIMITERS:
            raise ValueError(f"{value!r} cannot stand between values; an example is ';'")
        return value

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                "".encode(value)
        except (LookupError, ValueError) as e:
            raise ValueError(
                f"no such encoding: {value!r}; examples are 'utf-8', 'cp1252' and 'utf-16'"
            ) from e
        return value
