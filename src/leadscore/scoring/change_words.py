"""Changes of a probability in words: how many points, and parts that add up to them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.contributions.shapley import compute_contributions
from leadscore.scoring.contributions import Contributions, find_main
from leadscore.scoring.steps import apportion
from leadscore.wording import counted

LEAST = 1.0  # percentage points; less is not put into words
MOST_PARTS = 3  # the others are one more
OTHERS = "other"
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
    "time": _Step(0, 1, OTHERS),  # what time itself does is no reason
    "facts": _Step(1, 2, "corrected facts"),
    "scorer": _Step(2, 2, "re-assessed by a new model"),
    "calibrator": _Step(2, 2, "re-assessed by a new calibrator"),
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
    elapsed: float = 0.0,
) -> np.ndarray:
    """The words (k,), as "Up 12 points: has reached Proposal +9, last call yesterday +4, other -1".

    The parts add up to the whole, the largest first.

    Args:
        old: the model of then, by which features explain the steps.
        features: what the matrices hold.
        matrices: of the leads then, now by what was known then, and now.
        steps: by name (k,), in calibrated log-odds.
        slope: (k,) percentage points for each log-odds.
        points: (k,) the whole change, in percentage points.
        elapsed: share of the day that has passed now.
    """
    texts = np.array([describe_points(value) for value in points], dtype=object)
    points_of_steps = {name: slope * step for name, step in steps.items()}
    sizes = [np.abs(values) for values in points_of_steps.values()]
    largest = np.max(sizes, axis=0)
    rows = np.flatnonzero(largest >= LEAST)
    if not len(rows):
        return texts

    contributions = [
        replace(_take_contributions(old, features, matrix, rows), elapsed=elapsed)
        for matrix in matrices
    ]
    whole = {name: values[rows] for name, values in points_of_steps.items()}
    parts_of_rows = _split_steps(contributions, whole, slope=slope[rows])
    for row, parts in zip(rows, parts_of_rows, strict=True):
        texts[row] += _describe_parts(parts, points[row])
    return texts


def _split_steps(
    contributions: Sequence[Contributions],
    points: Mapping[str, np.ndarray],
    *,
    slope: np.ndarray,
) -> list[list[_Part]]:
    """The parts of all steps of each lead (m,), from the points (m,) of each step.

    What a feature adds in several steps is one part: a reply takes the place of a silence.
    """
    now = contributions[-1]
    of_features = np.zeros(now.added.shape)
    parts: list[list[_Part]] = [[] for _ in slope]
    for name, step in STEPS.items():
        added = contributions[step.end].added - contributions[step.start].added
        explains = np.abs(added).sum(axis=1) >= NOTHING
        of_features[explains] += apportion(
            points[name][explains], added[explains], slope=slope[explains]
        )
        for row in map(int, np.flatnonzero(~explains)):
            parts[row].append(_Part(points[name][row], step.words))
    _add_features(parts, now, of_features)
    return parts


def describe_points(points: float) -> str:
    """A change as a person says it; it begins with no sign, which a spreadsheet would calculate.

    >>> describe_points(16.2), describe_points(-1.4), describe_points(0.3)
    ('Up 16 points', 'Down 1 point', 'No change')
    """
    size = round(abs(points))
    if not size:
        return "No change"
    return f"{'Up' if points > 0 else 'Down'} {counted(size, 'point')}"


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


def _add_features(
    parts: Sequence[list[_Part]],
    contributions: Contributions,
    points: np.ndarray,
) -> None:
    """Add the parts by group of features, in the words of the feature that made most of it.

    Args:
        parts: of each lead (m,).
        contributions: of now.
        points: (m, features) percentage points.
    """
    features = contributions.features
    for members in contributions.groups:
        totals = points[:, members].sum(axis=1)
        large: list[int] = np.flatnonzero(np.abs(totals) >= LEAST).tolist()
        for row in large:  # wording all would take most of the time
            main = find_main(members, features, points[row], totals[row])
            if contributions.value(row, main) is not None:
                words = contributions.sentence(row, main, sign=totals[row])
                parts[row].append(_Part(totals[row], in_sentence(words)))


def _describe_parts(parts: Sequence[_Part], points: float) -> str:
    """The largest parts in whole points, and all others as one, so that they add up to `points`."""
    named: dict[str, float] = {}
    for part in parts:
        if abs(part.points) >= LEAST and part.words != OTHERS:
            named[part.words] = named.get(part.words, 0.0) + part.points
    by_size = sorted(named, key=lambda words: (-abs(named[words]), words))
    largest = by_size[:MOST_PARTS]
    if not largest:
        return ""
    sizes = [named[words] for words in largest]
    sizes.append(points - sum(sizes))
    words = zip([*largest, OTHERS], round_to_total(sizes), strict=True)
    listed = [f"{text} {size:+d}" for text, size in words if size]
    return f": {', '.join(listed)}" if listed else ""


def round_to_total(parts: Sequence[float]) -> list[int]:
    """Parts as whole numbers whose sum is that of the parts, rounded.

    >>> round_to_total([9.4, 3.4, 0.1]), round_to_total([-2.5, 1.0, 0.5])
    ([10, 3, 0], [-2, 1, 0])
    """
    total = round(sum(parts))
    whole = [math.floor(part) for part in parts]
    fractions = [part - below for part, below in zip(parts, whole, strict=True)]
    by_fraction = sorted(range(len(parts)), key=lambda place: (-fractions[place], place))
    for place in by_fraction[: total - sum(whole)]:
        whole[place] += 1
    return whole


def in_sentence(text: str) -> str:
    """A sentence within another one, without its capital.

    >>> in_sentence("Last call yesterday"), in_sentence("BANT questions answered: 2")
    ('last call yesterday', 'BANT questions answered: 2')
    """
    is_name = text[1:2].isupper()
    return text if is_name else text[:1].lower() + text[1:]
