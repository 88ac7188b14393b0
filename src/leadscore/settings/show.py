"""The section `show`: what people see of a lead, and no model, score file or log ever does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, model_validator

from leadscore.settings.base import Frozen, Name, hint
from leadscore.settings.limits import LONGEST_WORD
from leadscore.tables import KEYS, PERSONAL
from leadscore.wording import listed

if TYPE_CHECKING:
    from leadscore.settings.settings import Settings

SHOWN = ("name", "company", "contact", "email", "phone")
LEAD_ID = "lead_id"
WEB = {"http", "https"}
HASHED = {*KEYS, *PERSONAL}  # our columns of which the store has only a salted hash
ShownColumn = str | dict[Name, str]


def _column(description: str) -> Any:
    return Field(default=None, min_length=1, max_length=LONGEST_WORD, description=description)


class ShowSettings(Frozen):
    """Columns of the sources that feed `leads`, as people see them in worklists and reports.

    Where leads come from several sources with different columns, write
    `company = { leads = "Company", deals = "Account Name" }`. Without this section lists show ids.
    """

    name: ShownColumn | None = _column("column with what people call the lead, such as a deal")
    company: ShownColumn | None = _column("column with the company's name")
    contact: ShownColumn | None = _column("column with the name of the person to call")
    email: ShownColumn | None = _column("column with the e-mail address")
    phone: ShownColumn | None = _column("column with the telephone number")
    url: str | None = Field(
        default=None,
        max_length=2000,
        description="address of a lead in the CRM, such as "
        "`https://crm.example.com/leads/{lead_id}`; `{email}` and the others stand for shown "
        "columns",
    )
    sheets: Literal["rep", "team"] = Field(
        default="rep", description="of the workbook: a sheet for each rep, or for each team"
    )

    @model_validator(mode="after")
    def _web_address(self) -> ShowSettings:
        if self.url is not None:
            _check_url(self.url, [LEAD_ID, *self.columns()])
        return self

    def columns(self) -> dict[str, ShownColumn]:
        """What is shown, and the column or columns that hold it."""
        stated = {key: getattr(self, key) for key in SHOWN}
        return {key: column for key, column in stated.items() if column}

    def columns_of(self, source: str) -> dict[str, str]:
        """What a source shows, and its column for it."""
        columns = {}
        for key, stated in self.columns().items():
            column = stated if isinstance(stated, str) else stated.get(source)
            if column:
                columns[key] = column
        return columns

    def address_of(self, lead: Mapping[str, str | None]) -> str | None:
        """The address of a lead, every value quoted; None if a value is missing, or there is none.

        >>> show = ShowSettings(url="https://crm.example.com/leads/{lead_id}")
        >>> show.address_of({"lead_id": "a/b c"})
        'https://crm.example.com/leads/a%2Fb%20c'
        """
        if self.url is None:
            return None
        parts = []
        for text, key in _parse(self.url):
            parts.append(text)
            if key is None:
                continue
            value = lead.get(key)
            if not value:
                return None
            parts.append(quote(value, safe="", errors="replace"))
        return "".join(parts)


def _parse(template: str) -> Iterator[tuple[str, str | None]]:
    """The fixed texts of a template, and the key in braces after each one."""
    for text, key, spec, conversion in Formatter().parse(template):
        if spec or conversion:
            raise ValueError(f"{{{key}}} must stand alone in its braces")
        yield text, key


def _check_url(template: str, known: list[str]) -> None:
    """Raise ValueError if a template is no web address, or names what is not shown."""
    keys = [key for _, key in _parse(template) if key is not None]
    for key in keys:
        if key not in known:
            raise ValueError(f"url: nothing shown is called {key!r}{hint(key, known)}")
    address = urlsplit(template)
    if address.scheme not in WEB or not address.hostname:
        raise ValueError(
            "url: must be a web address, such as https://crm.example.com/leads/{lead_id}"
        )
    if "{" in address.netloc or "@" in address.netloc:
        raise ValueError("url: the server must be written out, without columns and without a user")


def check_show(settings: Settings) -> None:
    """Raise ValueError where a shown column belongs to no lead, or is stored in the clear as well."""
    if settings.show is None:
        return
    feeding = {entry.source for entry in settings.entries("leads")}
    for key, stated in settings.show.columns().items():
        for source in stated if isinstance(stated, dict) else ():
            if source not in feeding:
                raise ValueError(
                    f"show.{key}: no lead is read from {source!r}{hint(source, sorted(feeding))}"
                )
    for source in sorted(feeding):
        for key, column in settings.shown_columns(source).items():
            _check_only_shown(settings, source, key, column)


def _check_only_shown(settings: Settings, source: str, key: str, column: str) -> None:
    """Refuse a shown column that the mapping also reads into the store as it is."""
    hashed = HASHED - set(settings.fields)
    for entry in settings.mapping:
        if entry.source != source:
            continue
        stored = [name for name, read in entry.columns.items() if read == column]
        stored = [name for name in stored if name not in hashed]
        stored += [LEAD_ID] if column in entry.id_columns else []
        chosen_by = {*entry.where, *entry.where_not, *entry.values}
        if stored or column in chosen_by:
            use = f"is mapped to {listed(stored)}" if stored else "selects or translates rows"
            raise ValueError(
                f"show.{key}: column {column!r} of {source!r} {use} of {entry.table}, so the store "
                "and the score files would hold it, too; show another column, or leave it out of "
                "the mapping"
            )
