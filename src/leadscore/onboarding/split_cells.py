"""Files whose cells name several leads or people at once, like `9002;9001`: a row for each, by a view."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.engine.protocol import literal, quoted_name
from leadscore.ingest.readers.batch import SourceFile
from leadscore.onboarding import words
from leadscore.onboarding.people import find_kind
from leadscore.onboarding.profile import SHOWN, Column, Profile, ViewOf
from leadscore.onboarding.shared_ids import OVERLAP, find_ref

LIST = r'\[\]",'
MARKS = {  # what stands around values, as a class of characters -> how the values stand
    LIST: "in a list",
    ";": "with ';' between them",
    ",": "with ',' between them",
    "|": "with '|' between them",
    r"\r\n": "on lines of their own",
}
RECORDS = f"{words.RECORD} records cases opportunities leads deals prospects"
LEAST = 0.2  # the share of people that two columns of the same kind have in common
FEWEST = 3  # cells that hold several
COMMENT = "cells of {name} hold several values {place}: a view gives each a row of its own"


@dataclass(frozen=True)
class _Cells:
    """A column, and the mark between the values of its cells."""

    column: Column
    mark: str

    @cached_property
    def several(self) -> list[str]:
        """Cells that are more than one value, of those that are looked at."""
        some = islice(self.column.values, SHOWN)
        return [cell for cell in some if self.split(cell) != [cell]]

    def split(self, cell: str) -> list[str]:
        """The values of a cell, without blanks around them."""
        return [value.rstrip(" ") for value in re.findall(self.pattern, cell)]

    @property
    def pattern(self) -> str:
        """What a value is, as a regular expression that Python and DuckDB read alike."""
        return f"[^{self.mark} ][^{self.mark}]*"

    def share(self, known: Set[str]) -> float:
        """The share of known ones, in small letters, among the values of such cells."""
        if len(self.several) < FEWEST:
            return 0
        values = {value.lower() for cell in self.several for value in self.split(cell)}
        return len(values & known) / len(values)


def split_leads(profile: Profile, lead_id: Column) -> Profile | None:
    """The file with a row for each lead that a cell names; None if no cell names several."""
    known = {value.lower() for value in lead_id.values}
    ref = find_ref(profile, lead_id)
    columns = [ref] if ref is not None else profile.columns.values()
    for column in columns:
        for cells in _cells_by_mark(column):
            if cells.share(known) > OVERLAP and _may_name_leads(column, lead_id):
                return _apart(profile, cells)
    return None


def split_people(profile: Profile, others: Sequence[Profile]) -> Profile | None:
    """The file with a row for each person or company that a cell names; None if none names several.

    A cell names several if many of its parts stand alone in other cells, here or in other files;
    so `Doe, Ann` is one name.
    """
    for column in profile.columns.values():
        kind = find_kind(column, profile)
        if kind is None:
            continue
        names = {name.lower() for each in (profile, *others) for name in _names_of(each, kind)}
        for cells in _cells_by_mark(column):
            split = [cells.split(name) for name in names]
            alone = {values[0] for values in split if len(values) == 1}
            if cells.share(alone) > LEAST:
                return _apart(profile, cells)
    return None


def _cells_by_mark(column: Column) -> Iterator[_Cells]:
    for mark in MARKS:
        cells = _Cells(column, mark)
        is_meant = mark != LIST or all(cell.startswith("[") for cell in cells.several)
        if cells.several and is_meant:
            yield cells


def _may_name_leads(column: Column, lead_id: Column) -> bool:
    """Whether values that are ids of leads are meant so; 3,50 may be a price, and 12;15 products."""
    are_numbers = all(value.isdigit() for value in islice(lead_id.values, SHOWN))
    return not are_numbers or bool(words.speaks_of(column.name, RECORDS))


def _names_of(profile: Profile, kind: str) -> Iterator[str]:
    """The cells that name people or companies."""
    for column in profile.columns.values():
        if find_kind(column, profile) == kind:
            yield from column.values


def _apart(profile: Profile, cells: _Cells) -> Profile:
    encoded = cells.column.text.dictionary_encode()
    values = [cells.split(cell) or [""] for cell in encoded.dictionary.to_pylist()]
    lists = pa.array(values, pa.list_(pa.string())).take(encoded.indices)
    row = pc.list_parent_indices(lists)
    columns = {
        name: replace(column, text=column.text.take(row))
        for name, column in profile.columns.items()
    }
    split_name = cells.column.name
    columns[split_name] = replace(cells.column, text=lists.flatten())
    file = profile.file
    comment = COMMENT.format(name=split_name, place=MARKS[cells.mark])
    return replace(
        profile,
        file=SourceFile(f"{file.source}_apart", file.path, file.name),
        columns=columns,
        rows=len(row),
        view=ViewOf(profile, _sql(profile, cells), comment),
    )


def _sql(profile: Profile, cells: _Cells) -> str:
    """A SELECT with a row for each value; a row whose cell is empty stays."""
    name = quoted_name(cells.column.name)
    values = f"regexp_extract_all({name}, {literal(cells.pattern)})"
    one = f"trim(unnest(COALESCE({values}, [NULL])))"
    return f"SELECT * REPLACE ({one} AS {name}) FROM {quoted_name(profile.file.source)}"
