"""Checks of the mapping against the sources, the fields and the tables."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from leadscore.settings.activities import kind_slug
from leadscore.settings.base import hint
from leadscore.settings.fields import RESERVED
from leadscore.settings.limits import NAME
from leadscore.settings.mapping import BEFORE, STAGE_NOW, UNDATED_TABLES, Mapping
from leadscore.settings.problems import UndeclaredError
from leadscore.tables import KEYS, PERSONAL, TABLES
from leadscore.wording import listed

if TYPE_CHECKING:
    from leadscore.settings.settings import Settings

WITHOUT_ID = (
    "; where no column is an id, name several that never change and are together different for "
    'every lead, as in columns = { lead_id = ["Company", "Created"] }'
)
OTHER_DURATIONS = ("duration_min", "duration_ms")  # other units for duration_s
DATED = {
    "target",
    "stages",
    "kinds",
    "activities",
    "max_staleness_hours",
    "known_until_file",
}  # need dates


def check_mapping(settings: Settings) -> None:
    """Raise ValueError, in words for the user, where the mapping does not fit the other sections."""
    _check_fields_are_declared(settings)
    for number, entry in enumerate(settings.mapping, 1):
        place = f"mapping entry {number} ({entry.source} -> {entry.table})"
        _check_entry(settings, entry, place)
    if not settings.is_dated:
        _check_undated(settings)
    if settings.time != "ordered" and settings.model.outcome_delay is not None:
        raise ValueError(
            f"time = {settings.time!r}: model.outcome_delay counts leads in their order, so it "
            "needs time = 'ordered'; leave it out"
        )
    _check_sources_are_read(settings)
    _check_names(settings)


def _check_fields_are_declared(settings: Settings) -> None:
    """Refuse attributes of leads that are mapped and not declared, all at once."""
    known = _known_columns(settings, "leads")
    undeclared = settings.mapped_of_leads() - RESERVED - set(known)
    names = [name for name in sorted(undeclared) if re.fullmatch(NAME, name)]
    if names:
        raise UndeclaredError(names, known)


def _check_entry(settings: Settings, entry: Mapping, place: str) -> None:
    """Refuse an entry with an unknown source or column, a column filled twice, or one not filled."""
    origins = settings.origins()
    if entry.source not in origins:
        near = hint(entry.source, list(origins))
        kinds = "source or view" if settings.views else "source"
        raise ValueError(f"{place}: no {kinds} is called {entry.source!r}{near}")

    known = _known_columns(settings, entry.table)
    unknown = [name for name in sorted(entry.targets()) if name not in known]
    if unknown:
        problems = [
            f"{place}: {entry.table} has no column {name!r}{hint(name, known)}" for name in unknown
        ]
        raise ValueError("; ".join(problems))

    given = set(entry.constants) | entry.mapped_columns()
    twice = sorted(set(entry.columns) & given)
    if entry.id_columns and "lead_id" in entry.targets_of_one():
        twice.append("lead_id")
    if twice:
        raise ValueError(
            f"{place}: {listed(twice)} is given by columns and by constants or values too; "
            "choose one"
        )

    durations = sorted(entry.targets().intersection(("duration_s", *OTHER_DURATIONS)))
    if len(durations) > 1:
        raise ValueError(f"{place}: {listed(durations)} give the same in other units; keep one")

    missing = sorted(_required_columns(settings, entry.table) - entry.targets())
    if missing:
        cure = WITHOUT_ID if "lead_id" in missing else ""
        raise ValueError(f"{place}: nothing fills {listed(missing)}{cure}")


def _required_columns(settings: Settings, table: str) -> set[str]:
    """The columns that an entry for a table must fill."""
    required = {column.name for column in TABLES[table].columns if column.required}
    if settings.is_dated and table != "leads":
        required.add("event_at")
    if not settings.is_dated and table in UNDATED_TABLES:
        required.discard("lead_id")  # the line of the file can stand for it
    return required


def _known_columns(settings: Settings, table: str) -> list[str]:
    """The columns that an entry for a table may fill."""
    columns = [column.name for column in TABLES[table].columns]
    if settings.is_dated:
        columns += ["event_at", "available_at"]
        columns += [BEFORE[table]] if table in BEFORE else []
    elif settings.time == "ordered" and table == "leads":
        columns.append("sequence")
    if table == "activities":
        columns += OTHER_DURATIONS
    if table == "leads":
        columns += [*settings.fields, *dict.fromkeys((*KEYS, *PERSONAL))]
    if table == "leads" and settings.gives_before("stages"):
        columns.append(STAGE_NOW)
    return columns


def _check_undated(settings: Settings) -> None:
    """Refuse what needs dates, and leads and outcomes that could not be joined."""
    mode = f"time = {settings.time!r}"
    dated_keys = sorted(DATED & settings.model_fields_set)
    if dated_keys:
        raise ValueError(f"{mode}: nothing is dated, so leave out {listed(dated_keys)}")

    dates = [name for name, field in settings.fields.items() if field.type == "date"]
    if dates:
        raise ValueError(
            f"{mode}: the field {dates[0]!r} is a date, which says nothing without an as_of"
        )

    dated_tables = [entry.table for entry in settings.mapping if entry.table not in UNDATED_TABLES]
    if dated_tables:
        raise ValueError(
            f"{mode}: rows of {dated_tables[0]} need dates; only leads and outcomes can be mapped"
        )
    _check_lines(settings, mode)


def _check_lines(settings: Settings, mode: str) -> None:
    """Refuse a mixture of leads with and without ids, and an order that several files do not have."""
    leads = settings.entries("leads")
    without_id = {entry.source for entry in leads if "lead_id" not in entry.targets()}
    for entry in settings.mapping:
        has_id = "lead_id" in entry.targets()
        if has_id == (entry.source in without_id):
            raise ValueError(
                f"{mode}: {entry.source} -> {entry.table}: either leads and outcomes of one source "
                "all have a lead_id, or none has, and then they are called by source and line"
            )

    have_sequence = all("sequence" in entry.targets() for entry in leads)
    sources = {entry.source for entry in leads}
    if settings.time == "ordered" and len(sources) > 1 and not have_sequence:
        raise ValueError(
            f"{mode}: lines of several sources have no common order; map a column to sequence"
        )


def _check_sources_are_read(settings: Settings) -> None:
    if not settings.entries("leads"):
        raise ValueError("no mapping entry fills the table leads")
    shared = sorted(set(settings.sources) & set(settings.views))
    if shared:
        raise ValueError(f"views.{shared[0]}: a source has the same name; choose another one")
    read = {entry.source for entry in settings.mapping}
    unread = [name for name in settings.sources if name not in read]
    if unread and not settings.views:  # what views read, their SQL says
        raise ValueError(f"no mapping entry reads the source {unread[0]!r}")


def _check_names(settings: Settings) -> None:
    """Refuse fields with a name of ours, and kinds of activity whose features would share a name."""
    taken = sorted(set(settings.fields) & RESERVED)
    if taken:
        raise ValueError(
            f"fields.{taken[0]}: the name is taken, choose another one; "
            f"taken are {listed(sorted(RESERVED), most=99)}"
        )
    slugs = Counter(map(kind_slug, ["activities", *settings.activity_kinds()]))
    shared = [slug for slug, count in slugs.items() if count > 1]
    if shared:
        raise ValueError(
            f"two kinds of activity would both be called {shared[0]!r}; "
            "'activities' stands for all kinds"
        )
