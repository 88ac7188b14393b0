"""Fields that belong together by name, unit or missing values: a leak may be spread over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.audit.checks.placeholders import stand_for_missing
from leadscore.audit.names import late_words, stems_of, units_of
from leadscore.audit.values import Values

MOST_GROUPS = 12
MOST_SHARE = 0.8  # of the fields: a larger group has no rest to be compared with
ALIKE_MISSING = 0.9  # correlation of what is missing
LEAST_MISSING = 0.02


@dataclass(frozen=True)
class Relatives:
    """Fields that belong together, and why, as "share the word days"."""

    why: str
    fields: tuple[str, ...]


def find_relatives(
    fields: Sequence[Values],
    names: Mapping[str, Collection[str]],
) -> list[Relatives]:
    """Groups of at least two fields, none twice.

    Where there are more than `MOST_GROUPS`, the largest.

    Args:
        fields: the fields to group.
        names: field -> all that it is called: its name, its label, the source's column.
    """
    groups = [
        *_named_alike(fields, names),
        *_missing_together(fields),
    ]
    return _largest(groups, of=len(fields))


def _named_alike(fields: Sequence[Values], names: Mapping[str, Collection[str]]) -> list[Relatives]:
    """Fields that share a word or a unit, or whose names speak of what follows the outcome."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for values in fields:
        called = names.get(values.name, {values.name})
        for why in _reasons_by_name(called):
            by_reason[why].append(values.name)
    return [Relatives(why, tuple(members)) for why, members in by_reason.items()]


def _reasons_by_name(called: Collection[str]) -> list[str]:
    units = sorted(units_of(called))
    stems = sorted(stems_of(called))
    by_unit = [f"share the unit {unit}" for unit in units]
    by_word = [f'share the word "{stem}"' for stem in stems]
    if not late_words(called):
        return by_unit + by_word
    return ["have names typical of fields entered after the outcome", *by_unit, *by_word]


def _largest(groups: Iterable[Relatives], *, of: int) -> list[Relatives]:
    """The largest groups that can be compared with a rest.

    Of groups with equal fields only the first counts.
    """
    by_fields: dict[tuple[str, ...], Relatives] = {}
    for group in groups:
        if 2 <= len(group.fields) <= MOST_SHARE * of:
            members = tuple(sorted(group.fields))
            by_fields.setdefault(members, group)

    different = list(by_fields.values())
    different.sort(key=lambda group: -len(group.fields))
    return different[:MOST_GROUPS]


def _missing_together(fields: Sequence[Values]) -> list[Relatives]:
    """Fields that lack a value, or hold a placeholder, for nearly the same leads."""
    groups: list[_MissingTogether] = []
    for values in fields:
        rows = values.missing | stand_for_missing(values)
        if not LEAST_MISSING <= _share(rows) <= 1 - LEAST_MISSING:
            continue
        for group in groups:
            if group.is_like(rows):
                group.fields.append(values.name)
                break
        else:
            groups.append(_MissingTogether(rows, [values.name]))

    why = "are missing for the same leads"
    return [Relatives(why, tuple(group.fields)) for group in groups]


@dataclass(frozen=True)
class _MissingTogether:
    """Fields that are missing for nearly the same leads as the first of them (n,)."""

    missing: np.ndarray
    fields: list[str]

    def is_like(self, missing: np.ndarray) -> bool:
        correlations = np.corrcoef(self.missing, missing)
        return bool(correlations[0, 1] >= ALIKE_MISSING)


def _share(rows: np.ndarray) -> float:
    return float(rows.mean()) if len(rows) else 0.0
