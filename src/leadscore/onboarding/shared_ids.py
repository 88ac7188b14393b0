"""How many of a column's values are ids of leads, as they are written or in another spelling."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import normalize

from leadscore.onboarding.profile import Column, Profile, best
from leadscore.onboarding.words import OWN_ID, RECORD, consists_of, speaks_of
from leadscore.settings.id_kinds import ID_KINDS, IdKind
from leadscore.wording import counted

UNSURE = 0.25  # how much a name counts that may be the number of a row
OVERLAP = 0.5  # the share of an events file's ids that are leads


def overlap(column: Column, ids: Column | None, *, as_written: bool = False) -> float:
    """The share of a column's values that are ids of leads, in whichever spelling if not as written."""
    if ids is None or not column.values:
        return 0
    exact = _overlap_as_written(column, ids)
    if as_written or exact > OVERLAP:
        return exact
    unified = [_overlap_by(kind, column, ids) for kind in ID_KINDS]
    return max(exact, *unified)


def find_ref(profile: Profile, ids: Column) -> Column | None:
    """The column of a file that names leads.

    Of several, such as small numbers that count rows or users, it is one that names many leads, some
    of them more than once.
    """

    def score(column: Column) -> float:
        share = overlap(column, ids)
        if share <= OVERLAP:
            return 0
        repeats = 2 * (not column.is_unique)
        named = speaks_of(column.name, RECORD) + _is_namesake(column, ids)
        return share + repeats + named + _share_named(column, ids)

    return best(profile.columns.values(), score)


def describe_overlap(profile: Profile, ids: Column) -> str:
    """How few values of a file are ids of leads, in the column that is called like them."""
    named = [
        column
        for column in profile.columns.values()
        if _is_namesake(column, ids) or speaks_of(column.name, RECORD)
    ]
    ref = best(named, lambda column: overlap(column, ids))
    if ref is None:
        return f"no column has values of {ids.name}"
    return f"only {overlap(ref, ids):.0%} of its {ref.name} are leads"


def count_named(profile: Profile, ids: Column) -> float:
    """How large a share of the leads a file names, less where none comes twice, more by the same name."""
    ref = find_ref(profile, ids)
    if ref is None:
        return 0
    share = _share_named(ref, ids)
    return UNSURE * share if ref.is_unique else share + _is_namesake(ref, ids)


def _is_namesake(column: Column, ids: Column) -> bool:
    """Whether a column is called like the ids, and not just id, as that of every file may be."""
    return column.name == ids.name and not consists_of(column.name, OWN_ID)


def _share_named(column: Column, ids: Column) -> float:
    return min(len(column.values) / len(ids.values), 1)


def kind_of_ids(ids: Column | None, refs: Iterable[Column]) -> IdKind | None:
    """The kind of id by which columns of other files name leads, where they spell it otherwise.

    Args:
        ids: of the leads; None if no column has them.
        refs: the columns that name leads.
    """
    if ids is None:
        return None
    for ref in refs:
        overlaps = {kind: _overlap_by(kind, ref, ids) for kind in ID_KINDS}
        best = max(ID_KINDS, key=overlaps.__getitem__)
        if _overlap_as_written(ref, ids) <= OVERLAP < overlaps[best]:
            return best
    return None


def _overlap_as_written(column: Column, ids: Column) -> float:
    shared = column.values.keys() & ids.values.keys()
    return len(shared) / len(column.values)


def _overlap_by(kind: IdKind, column: Column, ids: Column) -> float:
    spellings = column.spellings.get(kind)
    ids_of_leads = ids.spellings.get(kind)
    if not spellings or not ids_of_leads:
        return 0
    shared = spellings & ids_of_leads
    return len(shared) / len(spellings)


def doubt_ids(column: Column) -> str | None:
    """Ids that are there in two spellings; ids in mixed case may well differ in it."""
    values = column.values
    in_capitals = sum(value.isupper() and value.lower() in values for value in values)
    in_width = sum(_is_wide(value) and normalize("NFKC", value) in values for value in values)
    spellings = {
        "in capitals and in small letters": in_capitals,
        "in full-width and in plain characters": in_width,
    }
    doubts = []
    for spelling, alike in spellings.items():
        if alike:
            ids = counted(alike, "id is there", "ids are there")
            doubts.append(f"{ids} {spelling}: maybe the same leads twice")
    return "; ".join(doubts) or None


def _is_wide(value: str) -> bool:
    return not value.isascii() and normalize("NFKC", value) != value
