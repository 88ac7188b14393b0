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
    fields: Sequence[Values], names: Mapping[str, Collection[str]]
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
        reasons = [f"share the unit {unit}" for unit in sorted(units_of(called))]
        reasons += [f'share the word "{stem}"' for stem in sorted(stems_of(called))]
        if late_words(called):
            reasons.insert(0, "have names as of what is entered after the outcome")
        for why in reasons:
            by_reason[why].append(values.name)
    return [Relatives(why, tuple(members)) for why, members in by_reason.items()]


def _largest(groups: Iterable[Relatives], *, of: int) -> list[Relatives]:
    """The largest groups that can be compared with a rest.

    Of groups with equal fields only the first counts.
    """
    by_fields: dict[tuple[str, ...], Relatives] = {}
    for group in groups:
        if 2 <= len(group.fields) <= MOST_SHARE * of:
            by_fields.setdefault(tuple(sorted(group.fields)), group)
    largest_first = sorted(by_fields.values(), key=lambda group: -len(group.fields))
    return largest_first[:MOST_GROUPS]


def _missing_together(fields: Sequence[Values]) -> list[Relatives]:
    """Fields that lack a value, or hold a placeholder, for nearly the same leads."""
    groups: list[list[str]] = []
    missing: dict[str, np.ndarray] = {}
    for values in fields:
        rows = values.missing | stand_for_missing(values)
        if not LEAST_MISSING <= _share(rows) <= 1 - LEAST_MISSING:
            continue
        missing[values.name] = rows
        alike = [group for group in groups if _are_alike(missing[group[0]], rows)]
        if alike:
            alike[0].append(values.name)
        else:
            groups.append([values.name])
    return [Relatives("are missing for the same leads", tuple(group)) for group in groups]


def _share(rows: np.ndarray) -> float:
    return float(rows.mean()) if len(rows) else 0.0


def _are_alike(rows: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.corrcoef(rows, other)[0, 1] >= ALIKE_MISSING)
