"""How many of a column's values are ids of leads, as they are written or in another spelling."""

from __future__ import annotations

from collections.abc import Iterable

from leadscore.onboarding.profile import Column
from leadscore.settings.id_kinds import ID_KINDS, IdKind

OVERLAP = 0.5  # the share of an events file's ids that are leads


def overlap(column: Column, ids: Column | None) -> float:
    """The share of a column's values that are ids of leads, in whichever spelling."""
    if ids is None or not column.values:
        return 0
    exact = _overlap_as_written(column, ids)
    if exact > OVERLAP:
        return exact
    unified = [_overlap_by(kind, column, ids) for kind in ID_KINDS]
    return max(exact, *unified)


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
