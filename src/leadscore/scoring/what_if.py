"""What tier A would hold at other sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

SHARES = (0.05, 0.1, 0.15, 0.2, 0.3)  # of the list


def compute_what_if(
    measure: np.ndarray,
    tier: np.ndarray,
    probability: np.ndarray,
    expected_value: np.ndarray | None,
) -> list[dict[str, Any]]:
    """How many more leads, wins and value A would hold at other sizes than now, as JSON.

    Sizes that say nothing new are left out: nobody in A, as many as now, the same whole percentage
    as now, or as many as a smaller share gave.

    Args:
        measure: (n,) what the list is cut by.
        tier: (n,) the tiers of now.
        probability: (n,).
        expected_value: (n,), or None where there are no amounts.
    """
    best_first = np.argsort(-measure, kind="stable")
    now = tier == "A"
    lines = []
    for share, size in _list_sizes(now):
        chosen = best_first[:size]
        value = None if expected_value is None else _compute_gain(expected_value, chosen, now)
        lines.append(
            {
                "share": share,
                "share_now": float(now.mean()),
                "leads": size - int(now.sum()),
                "wins": _compute_gain(probability, chosen, now),
                "value": value,
            }
        )
    return lines


def _list_sizes(now: np.ndarray) -> list[tuple[float, int]]:
    """The shares of the list, with their numbers of leads, that say something new."""
    n = len(now)
    if n == 0:
        return []
    percentage_now = round(100 * float(now.mean()))
    listed = {0, int(now.sum())}
    sizes = []
    for share in SHARES:
        size = round(share * n)
        if size in listed or round(100 * share) == percentage_now:
            continue
        listed.add(size)
        sizes.append((share, size))
    return sizes


def _compute_gain(values: np.ndarray, chosen: np.ndarray, now: np.ndarray) -> float:
    """How much more the chosen leads have in all than those of now."""
    now_value = values[now].sum()
    return float(values[chosen].sum() - now_value)
