"""How a file that names no leads reaches them: by a contact, an e-mail address or a company."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from leadscore.ingest.file_notes import MISSING_WORDS
from leadscore.onboarding import words
from leadscore.onboarding.profile import Column, Profile

MOSTLY = 0.95
COMPANY = "company"
PLURALS = {"contact": "contacts", "e-mail address": "e-mail addresses", COMPANY: "companies"}
LEAST = 0.2  # the share that two columns of the same name have in common


@dataclass(frozen=True)
class Link:
    """A column of a file that has values of one of the leads' columns.

    Attributes:
        kind: what they name, as `words.PEOPLE` calls it.
        ref: the column of the file.
        key: the column of leads.
        ignores_case: whether values that differ in letter case only are the same.
    """

    kind: str
    ref: Column
    key: Column
    ignores_case: bool

    @property
    def kinds(self) -> str:
        """What they name, in the plural."""
        return PLURALS[self.kind]

    @property
    def placeholders(self) -> list[str]:
        """Words for a missing value, which connect nothing."""
        values = self.ref.values.keys() | self.key.values.keys()
        return sorted(MISSING_WORDS & values)

    @cached_property
    def share(self) -> float:
        """The larger of two shares: the file's values that leads have, the leads' that it has."""
        refs = _values(self.ref, ignores_case=self.ignores_case)
        keys = _values(self.key, ignores_case=self.ignores_case)
        shared = len(refs & keys)
        return shared / min(len(refs), len(keys)) if shared else 0

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """A person before their company, an id or address before a name."""
        is_name = self.kind != "e-mail address" and not words.names_id(self.key.name)
        return self.kind != COMPANY, not is_name, self.share


def _values(column: Column, *, ignores_case: bool) -> set[str]:
    values = column.values.keys() - MISSING_WORDS
    return {value.lower() for value in values} if ignores_case else values


def find_link(profile: Profile, leads: Profile, lead_id: Column | None) -> Link | None:
    """The surest link from the rows of a file to leads; None where none is, or it lists people."""
    if lead_id is None or _lists_people(profile):
        return None
    links: list[Link] = []
    for key in leads.columns.values():
        if key.is_constant:
            continue
        for ref in profile.columns.values():
            links += _links_between(ref, key)
    close = [link for link in links if link.share > LEAST]
    return max(close, key=lambda link: link.rank, default=None)


def _links_between(ref: Column, key: Column) -> Iterable[Link]:
    kind = words.kind_of_person(key.name)
    if kind is None or words.kind_of_person(ref.name) != kind:
        return
    exact = Link(kind, ref, key, ignores_case=False)
    folded = Link(kind, ref, key, ignores_case=True)
    yield folded if folded.share > exact.share else exact


def _lists_people(profile: Profile) -> bool:
    """Whether a file has a row for each contact or company, and says what they are."""
    for column in profile.columns.values():
        is_distinct = len(column.values) >= MOSTLY * column.filled > MOSTLY * column.rows / 2
        name = profile.stem if words.consists_of(column.name, words.OWN_ID) else column.name
        if is_distinct and words.kind_of_person(name) and words.names_id(column.name):
            return True
    return False


def is_of_other_record(ref: Column, leads: Profile, lead_id: Column | None) -> bool:
    """Whether a column that seems to name leads, by numbers, is called like something else.

    Such are the numbers of rows and users, durations, and contacts that leads have a column of.
    """
    if words.consists_of(ref.name, words.OWN_ID):
        return ref.is_unique
    keys = [column.name for column in leads.columns.values() if column is not lead_id]
    kinds = {words.kind_of_person(name) for name in keys} - {None}
    is_other = words.speaks_of(ref.name, f"{words.OWNER} {words.DURATION}")
    return bool(is_other) or words.kind_of_person(ref.name) in kinds
