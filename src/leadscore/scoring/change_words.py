"""Changes of a probability in words: how many points, and parts that add up to them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.scoring.contributions import Contributions, find_mains
from leadscore.scoring.steps import apportion
from leadscore.wording import counted

LEAST = 1.0  # percentage points; less is not put into words
MOST_PARTS = 3  # the others are one more
OTHERS = "other"
NOTHING = 1e-3  # log-odds; features that add less in all do not explain a step


WITHOUT_FEATURES = {  # step -> what is said where no features explain it
    "time": OTHERS,  # what time itself does is no reason
    "facts": "corrected facts",
    "scorer": "re-assessed by a new model",
    "calibrator": "re-assessed by a new calibrator",
    "times": "recent win rate",
}


@dataclass(frozen=True)
class Moments:
    """What features add to the log-odds of leads (m,), by one model.

    Attributes:
        then: (m, features).
        later: (m, features) now, by what was known then.
        now: by what is known now.
    """

    then: np.ndarray
    later: np.ndarray
    now: Contributions

    @property
    def added(self) -> dict[str, np.ndarray]:
        """What features add (m, features) in each step that they explain."""
        return {"time": self.later - self.then, "facts": self.now.added - self.later}


@dataclass(frozen=True)
class _Part:
    """A part of a change in percentage points, and what made it."""

    points: float
    words: str


def find_moved(steps: Mapping[str, np.ndarray], slope: np.ndarray) -> np.ndarray:
    """Positions (m,) of the changes of which some step is large enough to be put into words.

    Args:
        steps: by name (k,), in calibrated log-odds.
        slope: (k,) percentage points for each log-odds.
    """
    sizes = [np.abs(slope * step) for step in steps.values()]
    largest = np.max(sizes, axis=0)
    return np.flatnonzero(largest >= LEAST)


def describe_parts(
    moments: Moments,
    steps: Mapping[str, np.ndarray],
    *,
    slope: np.ndarray,
    points: np.ndarray,
) -> list[str]:
    """What made each change (m,), as ": has reached Proposal +9, last call yesterday +4, other -1".

    The parts add up to the whole, the largest first; "" where none is a point.

    Args:
        moments: what features add by the old model.
        steps: by name (m,), in calibrated log-odds.
        slope: (m,) percentage points for each log-odds.
        points: (m,) the whole change, in percentage points.
    """
    points_of_steps = {name: slope * step for name, step in steps.items()}
    parts_of_rows = _split_steps(moments, points_of_steps, slope=slope)
    return [
        _describe_parts(parts, whole)
        for parts, whole in zip(parts_of_rows, points.tolist(), strict=True)
    ]


def _split_steps(
    moments: Moments,
    points: Mapping[str, np.ndarray],
    *,
    slope: np.ndarray,
) -> list[list[_Part]]:
    """The parts of all steps of each lead (m,), from the points (m,) of each step.

    What a feature adds in several steps is one part: a reply takes the place of a silence.
    """
    of_features = np.zeros(moments.later.shape)
    parts: list[list[_Part]] = [[] for _ in slope]
    added_in = moments.added
    for name, words in WITHOUT_FEATURES.items():
        of_step = points[name]
        explains = np.zeros(len(slope), dtype=bool)
        if name in added_in:
            added = added_in[name]
            explains = np.abs(added).sum(axis=1) >= NOTHING
            of_features[explains] += apportion(
                of_step[explains],
                added[explains],
                slope=slope[explains],
            )
        others = np.flatnonzero(~explains)
        same_words = np.full(len(others), words)
        _add_parts(parts, others, of_step[others], same_words)
    _add_features(parts, moments.now, of_features)
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


def describe_all_points(points: np.ndarray) -> np.ndarray:
    """Changes (k,) as a person says them, each number of points worded once."""
    whole, number = np.unique(np.rint(points), return_inverse=True)
    texts = [describe_points(size) for size in whole.tolist()]
    return np.array(texts, dtype=object)[number]


def _add_parts(
    parts: Sequence[list[_Part]],
    rows: np.ndarray,
    points: np.ndarray,
    words: np.ndarray,
) -> None:
    """Add a part to each of some rows (m,), but for those that are not put into words."""
    is_large = np.abs(points) >= LEAST
    shown = np.flatnonzero(is_large & (words != OTHERS))
    for place in shown.tolist():
        part = _Part(float(points[place]), words[place])
        parts[rows[place]].append(part)


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
        large = np.flatnonzero(np.abs(totals) >= LEAST)  # wording all would take most of the time
        mains = find_mains(members, features, points[large], totals[large])
        for main in np.unique(mains):
            of_main = large[mains == main]
            rows = of_main[contributions.shown[main].is_known[of_main]]
            if len(rows):
                sentences = contributions.sentences(rows, main, speaks_for=totals[rows] > 0)
                words = np.array([in_sentence(text) for text in sentences], dtype=object)
                _add_parts(parts, rows, totals[rows], words)


def _describe_parts(parts: Sequence[_Part], points: float) -> str:
    """The largest parts in whole points, and all others as one, so that they add up to `points`."""
    named: dict[str, float] = {}
    for part in parts:
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
