"""The section `sources`: where the exported files are, and how they are written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from leadscore.settings.base import Frozen, Location, Match, Name, OneOrMore, Zone, hint
from leadscore.settings.environment import SOURCE_URL
from leadscore.settings.id_kinds import IdKind
from leadscore.settings.keep import Keep
from leadscore.settings.limits import LONGEST_WORD
from leadscore.settings.source_query import check_statement, check_table, check_variable
from leadscore.wording import listed

DATE_FORMS = ("dmy", "mdy", "ymd", "excel", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
NOT_DELIMITERS = "\"'\r\n\0"
PLACES = ("path", "sql", "db_table")  # of these a source has one
OF_FILES = ("optional", "sheet", "delimiter", "encoding", "header")
OF_DATABASES = ("url_env", "cursor")
WHERE = frozenset({*PLACES, *OF_DATABASES})  # they decide which rows come, not how they are read


def _check_dates(form: str) -> str:
    if form in DATE_FORMS:
        return form
    if "%" not in form:
        raise ValueError(
            f"no form of dates is called {form!r}{hint(form, DATE_FORMS)}, or a format such as "
            "'%d.%m.%Y %H:%M'"
        )
    example = datetime(2026, 1, 27, 13, 5, 9)  # noqa: DTZ001 (only its day is compared)
    try:
        read = datetime.strptime(example.strftime(form), form)  # noqa: DTZ007
    except ValueError as e:
        raise ValueError(f"the format {form!r} cannot be used: {e}") from e
    if read.date() != example.date():
        raise ValueError(f"the format {form!r} does not give year, month and day")
    return form


Dates = Annotated[str, AfterValidator(_check_dates)]


class Reading(Frozen):
    """How values are read; whatever is left out is detected, and reported."""

    decimal: Literal[".", ","] | None = Field(
        default=None, description="decimal mark; default: detected"
    )
    dates: Dates | None = Field(
        default=None,
        description="how dates are written that could mean several: `dmy`, `mdy` or `ymd`, the order "
        "of dates like 03/04/2025 or 3/4/25; `excel`, days as a spreadsheet counts them; `epoch_s`, "
        "`epoch_ms`, `epoch_us` or `epoch_ns`, since 1970; or a pattern such as `%d.%m.%y %H:%M`",
    )
    timezone: Zone | None = Field(
        default=None,
        description="time zone of times that state none; default: the project's `timezone`",
    )
    id: IdKind | None = Field(
        default=None,
        description="what ids of leads are, so that each has one spelling: `guid` (braces, case), "
        "`salesforce` (15 or 18 characters) or `integer` (`1.6147805824397E13` is 16147805824397)",
    )
    keep: Keep | None = Field(
        default=None,
        description='which of several rows of a lead in a file is used: `{ latest = "Updated" }` or '
        '`{ first = "Created" }`; the others are ignored under the name `keep`',
    )
    missing: tuple[str, ...] = Field(
        default=(),
        description="texts that stand for a missing value, such as `NULL` and `N/A`",
    )
    columns: tuple[str, ...] = Field(
        default=(),
        description="columns that an export may lack; where it does, they are missing in every row",
    )
    required: tuple[OneOrMore, ...] = Field(
        default=(),
        description="columns that every row needs: a file without one is refused, and a row without "
        "a value is rejected under `required`. Of a list within the list, one is enough: "
        '`["deal_id", ["Id", "Record Id"]]`',
    )
    known_until_column: str | None = Field(
        default=None,
        description="column that holds the moment of the export; its latest value counts",
    )
    ignore: dict[Name, Match] = Field(
        default={},
        description="rows to leave out, grouped under names of your choice: column -> values",
    )

    @model_validator(mode="after")
    def _requires_or_may_lack(self) -> Self:
        single = {names[0] for names in self.required if len(names) == 1}
        both = sorted(single.intersection(self.columns))
        if both:
            raise ValueError(
                f"{listed(both)} is in `required` and in `columns`, which lists what an export may "
                "lack; keep one"
            )
        return self

    def may_lack(self) -> set[str]:
        """The columns that a file may lack: of several of which one is required, all but one."""
        alternatives = {name for names in self.required if len(names) > 1 for name in names}
        return {*self.columns, *alternatives}

    def stated_columns(self) -> list[str]:
        """The columns that `columns` and `required` name, as in a file that has them all."""
        required = [name for names in self.required for name in names]
        return list(dict.fromkeys((*required, *self.columns)))


class Source(Reading):
    """The files of one export, or what a database answers; it has a `path`, `db_table` or `sql`.

    Whatever is left out is detected from the files, and reported.
    """

    path: Location | None = Field(
        default=None,
        description="a file, a folder or a pattern like `events/2026-*.csv.gz`, relative to "
        "`input_folder`, or an address like `s3://bucket/deals/*.csv`; files end in .csv, .tsv, "
        ".jsonl, .ndjson (all also with .gz), .xlsx or .parquet",
    )
    db_table: Annotated[str, AfterValidator(check_table)] | None = Field(
        default=None,
        description="a table or view of a database, read whole: [databases](sources.md#databases)",
    )
    sql: Annotated[str, AfterValidator(check_statement)] | None = Field(
        default=None, description="one SELECT that a database answers, in its own SQL"
    )
    url_env: Annotated[str, AfterValidator(check_variable)] = Field(
        default=SOURCE_URL,
        max_length=LONGEST_WORD,
        description="environment variable that holds the address of the database",
    )
    cursor: str | None = Field(
        default=None,
        min_length=1,
        description="column that grows with every new row: only rows past the last value seen are "
        "read, and earlier ones stay; for tables whose rows are never changed",
    )
    optional: str | None = Field(
        default=None,
        description="states that there may be no file, and what is lost without it; it is then "
        "read as a file without rows",
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
    header_row: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="line of a text file, or row of a sheet, that holds the column names; what "
        "stands before is skipped. Default: the first, or the only one among the next 50 rows that "
        "has all mapped columns",
    )

    @field_validator("delimiter")
    @classmethod
    def _can_separate(cls, value: str | None) -> str | None:
        if value is not None and value in NOT_DELIMITERS:
            raise ValueError(f"{value!r} cannot stand between values; an example is ';'")
        return value

    @model_validator(mode="after")
    def _has_names_to_find(self) -> Self:
        if self.header is False and self.header_row is not None:
            raise ValueError("header = false and header_row contradict each other; keep one")
        return self

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

    @model_validator(mode="after")
    def _has_one_place(self) -> Source:
        places = [name for name in PLACES if getattr(self, name) is not None]
        if len(places) != 1:
            stated = " and ".join(places) or "none of them"
            raise ValueError(f"give one of path, db_table and sql; there is {stated}")
        others = OF_DATABASES if self.path else OF_FILES
        for name in others:
            if getattr(self, name) != type(self).model_fields[name].default:
                kind = "databases" if self.path else "files"
                raise ValueError(f"{name} is for {kind} only; leave it out")
        return self

    @property
    def is_query(self) -> bool:
        """Whether a database is asked for the rows."""
        return self.path is None

    @property
    def is_remote(self) -> bool:
        """Whether the files are in another storage, which fsspec reads."""
        return self.path is not None and "://" in self.path

    def place(self) -> str:
        """Where the rows are, as messages name it."""
        if self.path is not None:
            return self.path
        return self.db_table or "its query"
