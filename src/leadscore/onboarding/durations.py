"""The column that says how long activities lasted, and in which unit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from leadscore.ingest.mapping.durations import read_durations
from leadscore.onboarding import words
from leadscore.onboarding.profile import Column

SHOWN = 500
MOSTLY = 0.95


def find_duration(columns: Iterable[Column]) -> tuple[str, Column] | None:
    """Our name for a duration in its unit, and the column; None where no unit is clear."""
    for column in columns:
        target = _target(column)
        if target is not None:
            return target, column
    return None


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
    return "duration_s" if named and not column.is_number and np.mean(ok) >= MOSTLY else None
