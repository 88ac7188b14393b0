"""Reasons: the largest contributions for and against a lead, worded by the features' own phrases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel

REASONS = 3
LEAST = 0.02  # log-odds; less moves a probability by half a percentage point at most


def explain(model: WinModel, matrix: Matrix, features: Sequence[Feature]) -> dict[str, list[str]]:
    """reason_up_1..3 and reason_down_1..3, each a list of n sentences, "" where there is no further reason.

    Windows of one measure are one reason: their contributions are added, and the sentence is that of the window
    which says most. A value that is not known is never a reason.
    """
    contributions = model.contributions(matrix.columns)[:, :-1]
    encoded = model.encode(matrix.columns)
    groups: dict[str, list[int]] = {}
    for at, feature in enumerate(features):
        groups.setdefault(feature.group, []).append(at)
    members = list(groups.values())
    totals = np.column_stack([contributions[:, at].sum(axis=1) for at in members])
    found: dict[str, list[str]] = {}
    for side, sign in (("up", 1.0), ("down", -1.0)):
        rows = [
            _sentences(sign * totals[row], sign * contributions[row], members, features, matrix, encoded, row, sign > 0)
            for row in range(len(totals))
        ]
        for place in range(REASONS):
            found[f"reason_{side}_{place + 1}"] = [row[place] for row in rows]
    return found


def _sentences(
    totals: np.ndarray, contributions: np.ndarray, members: list[list[int]], features: Sequence[Feature],
    matrix: Matrix, encoded: np.ndarray, row: int, speaks_for: bool,
) -> list[str]:  # fmt: skip
    said: list[str] = []
    for group in np.argsort(-totals, kind="stable"):
        if len(said) == REASONS or totals[group] < LEAST:
            break
        for at in sorted(members[group], key=lambda i: (-contributions[i], i)):
            value = _value(features[at], at, matrix, encoded, row)
            if value is not None and contributions[at] > 0:
                said.append(features[at].sentence(value, speaks_for=speaks_for))
                break
    return said + [""] * (REASONS - len(said))


def _value(feature: Feature, at: int, matrix: Matrix, encoded: np.ndarray, row: int) -> Any:
    """The lead's own value, or None if it is not known."""
    value = encoded[row, at] if feature.usual_for else matrix.columns[feature.name][row]
    if feature.is_category:
        return value
    return float(value) if np.isfinite(value) else None
