"""How a file that names no leads reaches them: by a contact, an e-mail address or a company."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from leadscore.onboarding import words
from leadscore.onboarding.people import (
    COMPANY,
    CONTACT,
    EMAIL,
    PLURALS,
    find_kind,
    lists_people,
    says_nobody,
)
from leadscore.onboarding.profile import Column, Profile
from leadscore.onboarding.shared_ids import find_ref
from leadscore.onboarding.split_cells import LEAST, split_people
from leadscore.wording import listed

MOST_LEADS = 20  # of a contact or company, on average: more are of a country, or of a number


@dataclass(frozen=True)
class Link:
    """A column of a file that has values of one of the leads' columns.

    Attributes:
        kind: what they name, as `words.PEOPLE` calls it.
        ref: the column of the file, or of the bridge where there is one.
        key: the column of leads.
        leads: the file of leads, with a row for each person or company that a lead names.
        ignores_case: whether values that differ in letter case only are the same.
        bridge: a third file, such as a list of contacts, which has both `ref` and what rows name.
    """

    kind: str
    ref: Column
    key: Column
    leads: Profile
    ignores_case: bool
    bridge: Bridge | None = None

    @property
    def first(self) -> Link:
        """The link of the file whose rows reach leads: to them, or to the bridge."""
        return self if self.bridge is None else self.bridge.link

    @property
    def kinds(self) -> str:
        """What rows name, in the plural."""
        return PLURALS[self.kind]

    @property
    def columns(self) -> str:
        """Which columns connect the file with leads."""
        if self.bridge is None:
            return self._columns()
        first = self.bridge.link._columns(f" of {self.bridge.profile.file.name}")
        return f"{first}; {self._columns()}"

    def _columns(self, of: str = "") -> str:
        parts = [f"{self.ref.name} = {self.key.name}{of}"]
        if self.ignores_case:
            parts.append("in any case")
        if self.placeholders:
            verb = "count" if len(self.placeholders) > 1 else "counts"
            parts.append(f"where {listed(self.placeholders, most=4)} {verb} as missing")
        return ", ".join(parts)

    @cached_property
    def placeholders(self) -> list[str]:
        """Words for a missing value, which connect nothing."""
        values = self.ref.values.keys() | self.key.values.keys()
        return sorted(filter(says_nobody, values))

    @cached_property
    def largest(self) -> tuple[str, int]:
        """The value that most rows of leads, or of the bridge, have, and how many they are."""
        counts: Counter[str] = Counter()
        for value, rows in self.key.values.items():
            if not says_nobody(value):
                counts[self._spelt(value)] += rows
        return counts.most_common(1)[0] if counts else ("", 0)

    @cached_property
    def shared(self) -> int:
        """How many values both have."""
        return len(self._refs & self._keys)

    @cached_property
    def share(self) -> float:
        """The larger of two shares: the file's values that leads have, the leads' that it has."""
        return self.shared / min(len(self._refs), len(self._keys)) if self.shared else 0

    @cached_property
    def spellings(self) -> int:
        """How many spellings of values connect rows with leads."""
        refs = [value for value in self.ref.values if self._spelt(value) in self._keys]
        keys = [value for value in self.key.values if self._spelt(value) in self._refs]
        return len(refs) + len(keys)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """A person before their company, an id or address before a name, many before few."""
        is_name = self.kind != EMAIL and not words.names_id(self.key.name)
        return self.kind != COMPANY, not is_name, self.shared

    @cached_property
    def _refs(self) -> set[str]:
        return {self._spelt(value) for value in self.ref.values if not says_nobody(value)}

    @cached_property
    def _keys(self) -> set[str]:
        return {self._spelt(value) for value in self.key.values if not says_nobody(value)}

    def _spelt(self, value: str) -> str:
        return value.lower() if self.ignores_case else value


@dataclass(frozen=True)
class Bridge:
    """A file between activities and leads, and how the activities reach its rows."""

    profile: Profile
    link: Link


def find_link(
    profile: Profile, leads: Profile, lead_id: Column, others: Sequence[Profile]
) -> Link | None:
    """The surest link from the rows of a file to leads; None where none is, or it lists people.

    Args:
        profile: the file.
        leads: the file of leads.
        lead_id: their ids.
        others: files that may be a bridge where no column links the two.
    """
    if lists_people(profile):
        return None
    direct = _best_link(profile, leads)
    if direct is not None:
        return direct
    bridged: list[Link] = []
    for other in others:
        entry = _best_link(profile, other)
        if entry is None:
            continue
        ending = _link_by_id(entry.leads, leads, lead_id) or _best_link(entry.leads, leads)
        if ending is not None:
            bridged.append(replace(ending, bridge=Bridge(entry.leads, entry)))
    return max(bridged, key=lambda link: link.rank, default=None)


def _best_link(profile: Profile, leads: Profile) -> Link | None:
    """The surest link between columns that are called alike; cells of leads may name several."""
    leads = split_people(leads, [profile]) or leads
    links = []
    for key in leads.columns.values():
        kind = find_kind(key, leads)
        if kind is None or key.filled > MOST_LEADS * len(key.values):
            continue
        alike = [
            column for column in profile.columns.values() if find_kind(column, profile) == kind
        ]
        links += [_link_between(kind, ref, key, leads) for ref in alike]
    close = [link for link in links if link.share > LEAST]
    return max(close, key=lambda link: link.rank, default=None)


def _link_between(kind: str, ref: Column, key: Column, leads: Profile) -> Link:
    """Without regard to letter case if more match so; ids may well differ in it alone."""
    exact = Link(kind, ref, key, leads, ignores_case=False)
    folded = Link(kind, ref, key, leads, ignores_case=True)
    if words.names_id(key.name):
        return folded if folded.share > 2 * exact.share else exact
    return folded if folded.spellings > exact.spellings else exact


def _link_by_id(profile: Profile, leads: Profile, lead_id: Column) -> Link | None:
    """The link of a list of the contacts of each lead, by the ids of leads."""
    ref = find_ref(profile, lead_id)
    if ref is None or not words.speaks_of(ref.name, words.RECORD):
        return None
    link = Link(CONTACT, ref, lead_id, leads, ignores_case=False)
    return link if link.share > LEAST else None


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
