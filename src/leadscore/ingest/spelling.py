"""Columns whose name a file writes in another case than the settings: DEAL_ID for deal_id."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from leadscore.ingest.readers.batch import Batch

NOT_SPOKEN = re.compile(r"[^a-z0-9]+")
UMLAUT = re.compile("([aou])e")


def find_alike(lacking: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Columns that a file lacks, and its own that differ in case, blanks, marks or accents only.

    >>> find_alike(["Deal Größe", "Region"], ["deal_groesse", "Type"])
    {'Deal Größe': 'deal_groesse'}
    """
    theirs = {_spoken(name): name for name in names}
    alike = {}
    for name in sorted(lacking):
        other = theirs.get(_spoken(name), name)
        if other != name:
            alike[name] = other
    return alike


def _spoken(name: str) -> str:
    """The letters and digits of a name, without case and accents; ö and oe are both o."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = NOT_SPOKEN.sub("", plain)
    return UMLAUT.sub(r"\1", letters)


@dataclass(frozen=True)
class Spelling:
    """The file's names of columns that the settings spell in another case, and the settings'."""

    ours: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Sequence[str], stated: Iterable[str]) -> Spelling:
        """The spelling of a file with these names; `stated` are the settings' names.

        >>> Spelling.of(["DEAL_ID", "Name"], ["deal_id", "Name"]).ours
        {'DEAL_ID': 'deal_id'}
        """
        lacking = sorted(set(stated).difference(names))
        wanted = {name.lower(): name for name in lacking}
        ours: dict[str, str] = {}
        for name in names:
            if name.lower() in wanted:
                ours[name] = wanted.pop(name.lower())
        return cls(ours)

    def to_ours(self, names: Iterable[str]) -> list[str]:
        """The file's names, spelled as in the settings."""
        return [self.ours.get(name, name) for name in names]

    def to_file(self, names: Iterable[str]) -> list[str]:
        """The settings' names, spelled as in the file."""
        theirs = {ours: name for name, ours in self.ours.items()}
        return [theirs.get(name, name) for name in names]

    def rename(self, batch: Batch) -> Batch:
        """A batch with the settings' names."""
        names = self.to_ours(batch.columns.column_names)
        return replace(
            batch,
            columns=batch.columns.rename_columns(names),
            typed=frozenset(self.to_ours(batch.typed)),
        )
