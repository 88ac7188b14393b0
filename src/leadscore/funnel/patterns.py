"""What won leads have in common that others have not, beyond chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from leadscore.funnel.competing import (
    HOURS,
    LEAST_IN_SIGHT,
    estimate_shares,
    share_and_error,
)
from leadscore.funnel.landmark import share_won
from leadscore.funnel.spells import count_endings
from leadscore.results.losses import Pattern

ACTIVITY = "activity"  # what a kind of activity is listed under


def describe_patterns(
    followed: pd.DataFrame,
    values: pd.DataFrame,
    kinds: pd.DataFrame,
    *,
    within_days: float,
    names: Mapping[str, str],
) -> list[Pattern]:
    """The difference that each value of a field, and each kind of activity, goes with.

    Values that too few leads have, or too few lack, are left out. The clearest come first. All are
    tested, and their p-values adjusted together (Benjamini and Hochberg 1995).

    Args:
        followed: (n,) as `list_followed` returns them.
        values: (n, fields) as `read_early_values` returns them.
        kinds: (n, kinds) as `read_early_kinds` returns them.
        within_days: in which wins count, from when leads are followed.
        names: of kinds of activity.
    """
    hours = within_days * HOURS
    if share_won(followed, hours).value is None:
        return []
    share, error = share_and_error(estimate_shares(count_endings(followed)), "won", hours)
    patterns = []
    for field, value, has in _list_segments(values, kinds, names):
        pattern = _compare(followed[has], followed[~has], within_days, error=error)
        if pattern is None:
            continue
        lift = (pattern.won.value or 0.0) / share
        named = {"field": field, "value": value, "lift": lift}
        patterns.append(pattern.model_copy(update=named))
    return _adjust(patterns)


def _list_segments(
    values: pd.DataFrame, kinds: pd.DataFrame, names: Mapping[str, str]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Field, value, and which leads (n,) have it, of those that enough leads have."""
    for field in values:
        counts = values[field].value_counts()
        for value in sorted(counts.index[counts >= LEAST_IN_SIGHT]):
            yield str(field), str(value), (values[field] == value).to_numpy()
    for kind in kinds:
        yield ACTIVITY, names.get(str(kind), str(kind)), kinds[kind].to_numpy()


def _compare(
    having: pd.DataFrame, others: pd.DataFrame, within_days: float, *, error: float
) -> Pattern | None:
    """The two shares won and the test of their difference; None if either rests on too few.

    The test is the pooled z-test: if there were no difference, the standard error of all leads,
    `error`, would be that of a part, but for its number. Each part's own would be far too small
    where few of it were won.
    """
    hours = within_days * HOURS
    won = share_won(having, hours)
    rest = share_won(others, hours)
    if won.value is None or rest.value is None or error == 0:
        return None
    n = len(having) + len(others)
    pooled = error * math.sqrt(n / len(having) + n / len(others))
    p_value = math.erfc(abs(won.value - rest.value) / pooled / math.sqrt(2))
    return Pattern(
        field="",
        value="",
        leads=len(having),
        within_days=within_days,
        won=won,
        others=rest,
        lift=None,
        p_value=p_value,
        adjusted=p_value,
    )


def _adjust(patterns: list[Pattern]) -> list[Pattern]:
    """The patterns with adjusted p-values, the clearest first."""
    if not patterns:
        return []
    adjusted = false_discovery_control([pattern.p_value for pattern in patterns])
    updated = [
        pattern.model_copy(update={"adjusted": float(p_value)})
        for pattern, p_value in zip(patterns, adjusted, strict=True)
    ]
    return sorted(updated, key=lambda pattern: pattern.p_value)
