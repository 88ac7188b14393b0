"""What the settings will say of the files: names of fields, and what each file of events fills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from leadscore.onboarding import words
from leadscore.onboarding.events import Events
from leadscore.onboarding.people_view import PeopleView, find_people_view
from leadscore.onboarding.profile import Column, Profile
from leadscore.onboarding.roles import Leads, Roles
from leadscore.onboarding.stage_dates import find_stage_dates
from leadscore.onboarding.words import is_unspelt, numbered, slug
from leadscore.settings.fields import RESERVED
from leadscore.tables import KEYS, PERSONAL

NAMED_PARTS = {"currency": words.CURRENCY} | words.KEYS


@dataclass(frozen=True)
class Answers:
    """What only a person knows; empty where nobody was asked.

    Attributes:
        date_order: of dates that may be read in two ways, "dmy" or "mdy".
        is_ordered: whether undated rows stand in the order in which the leads came.
        known: columns whose value was known when the lead was created, and never changed.
    """

    date_order: str | None = None
    is_ordered: bool = False
    known: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """What the files hold, what a person answered, and what follows for the settings."""

    roles: Roles
    answers: Answers = Answers()

    @property
    def leads(self) -> Leads:
        """The file of leads."""
        return self.roles.leads

    @property
    def is_dated(self) -> bool:
        """Whether a column says when leads were created."""
        return self.leads.created is not None

    @property
    def events(self) -> list[Events]:
        """The files of events; without dates none can be used."""
        return self.roles.events if self.is_dated else []

    @property
    def profiles(self) -> list[Profile]:
        """The files that are read."""
        profiles = [self.leads.profile]
        for events in self.events:
            profiles += events.profiles
        by_source: dict[str, Profile] = {}
        for profile in profiles:
            by_source[profile.original.file.source] = profile.original
            by_source[profile.file.source] = profile
        return list(by_source.values())

    @property
    def has_closes(self) -> bool:
        """Whether a file of events says when leads were won and lost."""
        return any(events.won and events.lost for events in self.events)

    @property
    def lacks_close_date(self) -> bool:
        """Whether leads are said to be won and lost, but not when."""
        has_outcome = self.leads.outcome is not None and not self.has_closes
        return self.is_dated and has_outcome and not self.leads.ends()

    @property
    def has_closed_view(self) -> bool:
        """Whether leads that closed get their date from a view: from two columns, or from none."""
        by_both = self.leads.outcome is not None and self.leads.closing is not None
        return self.lacks_close_date or (self.is_dated and by_both and not self.has_closes)

    @cached_property
    def people_views(self) -> dict[str, PeopleView]:
        """The views of files that name people of leads, by their names."""
        views = {}
        for events in self.events:
            if events.link is not None:
                view = find_people_view(events, events.link, self.leads, self.dates_of)
                views[events.source] = view
        return views

    def dates_of(self, profile: Profile) -> str | None:
        """How the settings state that the dates of a file are written; None: they need not."""
        forms = {column.date_order for column in profile.dates()}
        stated = sorted(form for form in forms if form not in (None, "iso", "either"))
        if stated:
            return stated[0]
        return self.answers.date_order if "either" in forms else None

    @cached_property
    def histories(self) -> dict[str, str]:
        """The fields whose history a file has: value of its field column -> our name."""
        names: dict[str, str] = {}
        for events in self.events:
            if events.value is None or events.kind is None:
                continue
            for value in events.kind.values:
                if value not in names:
                    name = _free_name(value)
                    names[value] = numbered(name, names.values()) if is_unspelt(value) else name
        return names

    @cached_property
    def unspelt_kinds(self) -> dict[str, str]:
        """Our names of kinds of activity that are written in other letters, in whichever file."""
        names: dict[str, str] = {}
        for events in self.events:
            kinds = events.other_kinds() or [events.profile.stem]
            is_of_activities = events.table == "activities"
            for value in filter(is_unspelt, kinds):
                if is_of_activities and value not in names:
                    names[value] = numbered("kind", names.values())
        return names

    @cached_property
    def parts(self) -> dict[str, Column]:
        """Our column -> the column of leads whose name says that it is that one."""
        parts: dict[str, Column] = {}
        named = [*NAMED_PARTS.items(), *words.PERSONAL.items()]  # an id before a name
        for part, part_words in named:
            column = self._first_called(part_words, taken=list(parts.values()))
            if column is not None:
                parts.setdefault(part, column)
        if "company" in parts:  # without an id its name is the key
            parts.setdefault("account", parts["company"])
        return parts

    @property
    def keys(self) -> list[str]:
        """The keys of leads, by which other leads of the same company or person are known."""
        return [name for name in KEYS if name in self.parts]

    def _first_called(self, part_words: str, *, taken: list[Column]) -> Column | None:
        for column in self.leads.profile.columns.values():
            is_free = column.name not in self.leads.parts() and column not in taken
            if is_free and column.values and words.is_called(column.name, part_words):
                return column
        return None

    @cached_property
    def fields(self) -> dict[str, str]:
        """The fields of leads: our name -> the column."""
        stages = {column.name for column in self.stage_dates.values()}
        columns = _field_columns(self.leads, self.parts)
        fields = [column for column in columns if column.name not in stages]
        if not self.is_dated:  # a date says nothing then
            fields = [column for column in fields if column.date_order is None]
        return _name_columns(fields, self.histories)

    @cached_property
    def stage_dates(self) -> dict[str, Column]:
        """Stage -> the column of leads that says when it was entered, where no file is a log."""
        has_log = any(events.table == "stages" for events in self.events)
        if has_log or not self.is_dated or self.leads.id is None:
            return {}
        return find_stage_dates(self.leads)

    def answers_to(self, name: str) -> set[str]:
        """The values of a field, in the file of leads or in a history."""
        if name in self.fields:
            column = self.leads.profile.columns[self.fields[name]]
            return set(column.values)
        for events in self.events:
            if events.value is None or events.kind is None:
                continue
            fields = events.kind.text.to_pylist()
            values = events.value.text.to_pylist()
            pairs = set(zip(fields, values, strict=True))
            return {value for field, value in pairs if value and self.histories[field] == name}
        return set()


def _field_columns(leads: Leads, parts: Mapping[str, Column]) -> list[Column]:
    """The columns of leads that may be fields: neither personal, prose, constant nor unique."""
    taken = leads.parts() | {column.name for column in parts.values()}
    columns = leads.profile.columns.values()
    return [column for column in columns if column.name not in taken and _may_be_field(column)]


def _may_be_field(column: Column) -> bool:
    says_nothing = column.is_constant or column.is_prose
    is_of_one = column.is_personal or column.says_who
    return not (says_nothing or is_of_one)


def _free_name(text: str) -> str:
    """A name for the settings that is none of ours."""
    name = slug(text)
    return f"{name}_of_lead" if name in RESERVED else name


def _name_columns(columns: Iterable[Column], histories: Mapping[str, str]) -> dict[str, str]:
    """Our names of columns, none twice and none that is taken."""
    taken = {*RESERVED, *PERSONAL, *KEYS, "owner_id", "amount"}
    names: dict[str, str] = {}
    for column in columns:
        name = slug(column.name)
        if column.name in histories or (name in histories.values() and not is_unspelt(column.name)):
            continue  # its history says more than the value of today
        if name in taken:
            name += "_of_lead"
        names[numbered(name, [*names, *histories.values()])] = column.name
    return names
