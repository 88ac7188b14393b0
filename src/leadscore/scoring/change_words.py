"""Changes of a probability in words: how many points, and what made the largest part of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.contributions.shapley import compute_contributions
from leadscore.scoring.contributions import Contributions
from leadscore.scoring.steps import apportion

LEAST = 1.0  # percentage points; less is not put into words
MOST_PARTS = 3
NOTHING = 1e-3  # log-odds; features that add less in all do not explain a step


@dataclass(frozen=True)
class _Step:
    """A step from one matrix to another: of then, of now by what was known then, and of now.

    Attributes:
        start: position of the first matrix.
        end: position of the second one.
        words: what is said where no features explain the step.
    """

    start: int
    end: int
    words: str


STEPS = {
    "time": _Step(0, 1, "time has passed"),
    "facts": _Step(1, 2, "corrected facts"),
    "scorer": _Step(2, 2, "a new model"),
    "calibrator": _Step(2, 2, "a new calibrator"),
    "times": _Step(2, 2, "recent win rate"),
}


@dataclass(frozen=True)
class _Part:
    """A part of a change in percentage points, and what made it."""

    points: float
    words: str


def describe_changes(
    old: WinModel,
    features: Sequence[Feature],
    matrices: Sequence[Matrix],
    steps: Mapping[str, np.ndarray],
    *,
    slope: np.ndarray,
    points: np.ndarray,
) -> np.ndarray:
    """The words (k,), as "+12: stage: proposal +9; time has passed +3", the largest part first.

    Args:
        old: the model of then, by which features explain the steps.
        features: what the matrices hold.
        matrices: of the leads then, now by what was known then, and now.
        steps: by name (k,), in calibrated log-odds.
        slope: (k,) percentage points for each log-odds.
        points: (k,) the whole change, in percentage points.
    """
    texts = np.array([_describe_points(value) for value in points], dtype=object)
    points_of_steps = {name: slope * step for name, step in steps.items()}
    sizes = [np.abs(values) for values in points_of_steps.values()]
    rows = np.flatnonzero(np.max(sizes, axis=0) >= LEAST)
    if not len(rows):
        return texts

    contributions = [_take_contributions(old, features, matrix, rows) for matrix in matrices]
    for at, row in enumerate(rows):
        parts: list[_Part] = []
        for name, step in STEPS.items():
            start = contributions[step.start]
            end = contributions[step.end]
            whole = points_of_steps[name][row]
            added = end.added[at] - start.added[at]
            if np.abs(added).sum() < NOTHING:
                parts.append(_Part(whole, step.words))
            else:
                parts += _split_step(end, at, apportion(whole, added, slope=slope[row]))
        texts[row] += _describe_parts(parts)
    return texts


def _describe_points(points: float) -> str:
    return f"{points:+.0f}" if round(points) else "no change"


def _take_contributions(
    model: WinModel,
    features: Sequence[Feature],
    matrix: Matrix,
    rows: np.ndarray,
) -> Contributions:
    columns = {name: values[rows] for name, values in matrix.columns.items()}
    return Contributions(
        features=features,
        columns=columns,
        encoded=model.encode(columns),
        added=compute_contributions(model, columns)[:, :-1],
    )


def _split_step(
    contributions: Contributions,
    row: int,
    points: np.ndarray,
) -> list[_Part]:
    """The parts of a step by group of features, in the words of the feature that made most of it.

    Args:
        contributions: at the end of the step.
        row: of the lead.
        points: (features,) percentage points.
    """
    features = contributions.features
    parts = []
    for group, total in enumerate(_sum_groups(contributions.groups, points)):
        if abs(total) < LEAST:  # wording all of them would take most of the time
            continue
        main = max(contributions.groups[group], key=lambda at: abs(points[at]))
        value = contributions.value(row, main)
        if value is not None:
            words = features[main].sentence(value, speaks_for=total > 0)
            parts.append(_Part(total, words))
    return parts


def _sum_groups(groups: Sequence[Sequence[int]], points: np.ndarray) -> list[float]:
    """The sums of `points` (features,) by group."""
    group_of = np.empty(len(points), dtype=np.int64)
    for group, members in enumerate(groups):
        group_of[list(members)] = group
    sums: list[float] = np.bincount(group_of, weights=points).tolist()
    return sums


def _describe_parts(parts: Sequence[_Part]) -> str:
    large = [part for part in parts if abs(part.points) >= LEAST]
    large.sort(key=lambda part: (-abs(part.points), part.words))
    words = [f"{part.words} {part.points:+.0f}" for part in large[:MOST_PARTS]]
    return f": {'; '.join(words)}" if words else ""
