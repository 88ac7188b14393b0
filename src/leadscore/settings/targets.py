"""The section `targets`: the CRMs and databases that a published list is written for."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from leadscore.settings.base import Days, Frozen, Name, Share, hint
from leadscore.settings.limits import LONGEST_WORD
from leadscore.settings.source_query import check_variable
from leadscore.settings.target_rules import find_format_problems, find_name_problems
from leadscore.wording import listed

TargetKind = Literal[
    "salesforce", "hubspot", "dynamics", "odoo", "pipedrive", "generic", "database", "history"
]
TARGET_URL = "LEADSCORE_TARGET_URL"  # the address of the database that scores are written to
COLUMNS = (
    "as_of", "win_probability", "win_percent", "probability_low", "probability_high", "score",
    "tier", "amount", "amount_estimated", "expected_value", "qualification", "qualification_rule",
    "override", "next_question", "next_question_gain", "suggested_action",
    "reason_up_1", "reason_up_2", "reason_up_3", "reason_down_1", "reason_down_2", "reason_down_3",
    "reasons", "change", "change_points", "trend", "log_odds", "rep_id", "route_reason",
    "exploration_probability", "score_valid_until", "publication_id", "status",
)  # fmt: skip
READ_ONLY = ("automated_probability",)  # of Odoo
MOST_FILE_BYTES = 512_000_000
LONGEST_TEXT = 32_000


class TargetSettings(Frozen):
    """Where a published list goes: files that a CRM imports unmodified, or a database.

    The defaults are those of the kind: [Into your CRM](targets.md). Facts about a CRM that its own
    settings or edition decide (`empty_cell`, `bom`, `date_format`, `max_bytes`) can be stated.
    """

    kind: TargetKind = Field(description="the contract that the files keep")
    object: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_WORD,
        description="what a row updates there, such as `Lead`, `0-3` or `crm.lead`",
    )
    key: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_WORD,
        description="field there that holds `lead_id`; with the CRM's own record id, such as `Id`, "
        "`hs_object_id` or `.id`, no record can be created",
    )
    id_prefix: str = Field(
        default="leadscore.lead_",
        max_length=LONGEST_WORD,
        description="Odoo: what an External ID begins with, before `lead_id`",
    )
    fields: dict[str, str] = Field(
        default={},
        description='column of the scores -> field there, beside the default ones; `""` leaves a '
        "column out",
    )
    mode: Literal["full", "delta"] = Field(
        default="delta",
        description="write all leads each time, or only those whose values changed since they were "
        "last written",
    )
    tolerance: Share = Field(
        default=0.02,
        description="how much a value may change without being written again: of a probability, of "
        "100 points, relative for an amount, and ten times as much for an expected value",
    )
    texts: Literal["cut", "omit"] = Field(
        default="cut",
        description="sentences, such as reasons: cut at `text_length`, or left out",
    )
    text_length: int | None = Field(
        default=None, ge=10, le=LONGEST_TEXT, description="characters of a text field there"
    )
    valid_days: Days = Field(
        default=14, description="`score_valid_until` lies so many days after `as_of`"
    )
    empty_cell: Literal["erases", "keeps"] | None = Field(
        default=None,
        description="what an empty cell of an imported file does to the field; where it keeps the "
        "old value, clears are written as API requests",
    )
    bom: bool | None = Field(
        default=None,
        description="whether files begin with a byte order mark (UTF-8 with BOM); not for `odoo` and `generic`",
    )
    date_format: str | None = Field(
        default=None,
        min_length=2,
        max_length=LONGEST_WORD,
        description="`dynamics`, `odoo`, `pipedrive`: how dates are written, such as `%d.%m.%Y`, if the "
        "importing user has another format",
    )
    max_bytes: int | None = Field(
        default=None,
        ge=10_000,
        le=MOST_FILE_BYTES,
        description="size of a file, from which on the rest goes into the next one",
    )
    url_env: Annotated[str, AfterValidator(check_variable)] = Field(
        default=TARGET_URL,
        max_length=LONGEST_WORD,
        description="database: environment variable that holds its address",
    )
    schema_name: Name | None = Field(
        default=None, description="database: schema of the tables; default: that of the connection"
    )

    @field_validator("fields")
    @classmethod
    def _known_columns(cls, fields: dict[str, str]) -> dict[str, str]:
        for column, field in fields.items():
            if column not in COLUMNS:
                raise ValueError(f"there is no column {column!r} of scores{hint(column, COLUMNS)}")
            if field in READ_ONLY:
                raise ValueError(f"{field!r} is read-only there; name a field of your own")
        return fields

    @model_validator(mode="after")
    def _one_column_a_field(self) -> TargetSettings:
        counts = Counter(field.casefold() for field in self.fields.values() if field)
        twice = [field for field, n in counts.items() if n > 1]
        if twice:
            raise ValueError(f"fields: several columns are written to {listed(twice)}")
        return self

    @model_validator(mode="after")
    def _can_be_loaded(self) -> TargetSettings:
        names = find_name_problems(self.kind, fields=self.fields, key=self.key, object_=self.object)
        formats = find_format_problems(
            self.kind,
            id_prefix=self.id_prefix,
            bom=self.bom,
            date_format=self.date_format,
            max_bytes=self.max_bytes,
        )
        problems = [*names, *formats]
        if problems:
            raise ValueError("; ".join(problems))
        return self
