"""The column that says how long activities lasted, and in which unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.durations import TWO_PARTS, read_durations
from leadscore.ingest.mapping.words import narrow, to_mask
from leadscore.onboarding import words
from leadscore.onboarding.profile import Column

SHOWN = 500
MOSTLY = 0.95


@dataclass(frozen=True)
class Duration:
    """A column that says how long something lasted, and our name for it in its unit.

    `target` is None where numbers say no unit.
    """

    column: Column
    target: str | None


def find_duration(columns: Iterable[Column]) -> Duration | None:
    """The first column of durations, one whose unit is clear before others."""
    unclear = None
    for column in columns:
        target = _target(column)
        if target is not None:
            return Duration(column, target)
        if column.is_number and words.speaks_of(column.name, words.DURATION):
            unclear = Duration(column, None)
    return unclear


def _target(column: Column) -> str | None:
    """The unit is in the column's name, or in values such as 00:15 and 27 min."""
    if not column.values or column.date_order is not None:
        return None
    named = words.speaks_of(column.name, words.DURATION)
    for target, units in words.DURATIONS.items():
        says_unit = words.speaks_of(column.name, units)
        if says_unit and (named or column.is_number):
            return target
    shown = pa.array(list(column.values)[:SHOWN], pa.string())
    _, ok = read_durations(shown, unit="duration_s", decimal=".")
    is_clock = to_mask(
        pc.match_substring_regex(narrow(shown), TWO_PARTS)
    )  # or minutes: ingest asks
    share = float(np.mean(ok | is_clock))
    return "duration_s" if named and not column.is_number and share >= MOSTLY else None
