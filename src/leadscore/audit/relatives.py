"""Fields that belong together, for a leak that is spread over several: by name, by unit, by what is missing when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.audit.checks.placeholders import stand_for_missing
from leadscore.audit.fields import Values
from leadscore.audit.names import late_words, stems_of, units_of

MOST_GROUPS = 12
MOST_SHARE = (
    0.8  # of the fields: a group that is nearly all of them has no rest to be compared with
)
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
    """Groups of at least two fields, none twice; the largest where there are more than `MOST_GROUPS`.

    Args:
        fields: the fields to group.
        names: field -> all that it is called: its name, its label, the source's column.
    """
    by_reason: dict[str, list[str]] = defaultdict(list)
    for values in fields:
        called = names.get(values.name, {values.name})
        if late_words(called):
            by_reason["have names as of what is entered after the outcome"].append(values.name)
        for unit in sorted(units_of(called)):
            by_reason[f"share the unit {unit}"].append(values.name)
        for stem in sorted(stems_of(called)):
            by_reason[f'share the word "{stem}"'].append(values.name)
    found = [Relatives(why, tuple(members)) for why, members in by_reason.items()]
    found += [
        Relatives("are missing for the same leads", members)
        for members in _missing_together(fields)
    ]
    return _largest(found, of=len(fields))


def _largest(found: Iterable[Relatives], *, of: int) -> list[Relatives]:
    """The groups that can be compared with a rest, of equal ones the first."""
    once: dict[tuple[str, ...], Relatives] = {}
    for group in found:
        if 2 <= len(group.fields) <= MOST_SHARE * of:
            once.setdefault(tuple(sorted(group.fields)), group)
    groups = sorted(once.values(), key=lambda group: -len(group.fields))
    return groups[:MOST_GROUPS]


def _missing_together(fields: Sequence[Values]) -> list[tuple[str, ...]]:
    """Fields that lack a value, or hold a placeholder, for nearly the same leads."""
    missing = {values.name: values.missing | stand_for_missing(values) for values in fields}
    missing = {
        name: rows
        for name, rows in missing.items()
        if LEAST_MISSING <= _share(rows) <= 1 - LEAST_MISSING
    }
    groups: list[list[str]] = []
    for name, rows in missing.items():
        group = next((each for each in groups if _are_alike(missing[each[0]], rows)), None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return [tuple(group) for group in groups]


def _share(rows: np.ndarray) -> float:
    return float(rows.mean()) if len(rows) else 0.0


def _are_alike(rows: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.corrcoef(rows, other)[0, 1] >= ALIKE_MISSING)
