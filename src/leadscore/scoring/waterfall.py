"""How a probability comes about: from the model's intercept, in percentage points by group of features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.features.matrix import build_matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.scoring.contributions import Contributions, elapsed_at
from leadscore.scoring.features import build_model_features, find_mismatch
from leadscore.scoring.steps import apportion, log_odds_of

LARGEST = 8  # groups in words; the others are one part
ON_EACH_SIDE = 4  # of them at least, so that what speaks against a lead is never left out


@dataclass(frozen=True)
class Part:
    """What moves a probability, and by how many percentage points."""

    words: str
    points: float


@dataclass(frozen=True)
class Waterfall:
    """A probability in parts that add up to it.

    Attributes:
        start: what the model's intercept alone gives, in percent.
        parts: the groups that move the log-odds most, up and down, in the order and the words of
            `explain`.
        others: points of all other groups.
        others_lowering: of these, points of the groups that lower the probability.
        recent: points of the running intercept.
    """

    start: float
    parts: tuple[Part, ...]
    others: float = 0.0
    others_lowering: float = 0.0
    recent: float = 0.0

    @property
    def total(self) -> float:
        """The probability, in percent."""
        named = sum(part.points for part in self.parts)
        return self.start + named + self.others + self.recent


def build_waterfalls(
    history: History,
    model: WinModel,
    rows: pd.DataFrame,
    *,
    as_of_us: int,
    shift: float = 0.0,
) -> dict[str, Waterfall]:
    """The waterfall of each listed lead; none if the settings declare other features than the model's.

    Args:
        history: where the leads are.
        model: what scored them.
        rows: of the list of open leads.
        as_of_us: its date.
        shift: the running intercept, in log-odds.
    """
    features = build_model_features(history.settings, model)
    if not len(rows) or find_mismatch(model, features):
        return {}
    matrix = build_matrix(history.snapshot(rows), features)
    added = model.contributions(matrix.columns)
    contributions = Contributions(
        features=features,
        columns=matrix.columns,
        encoded=model.encode(matrix.columns),
        added=added[:, :-1],
        elapsed=elapsed_at(history, as_of_us),
    )
    starts = model.probability(added[:, -1])
    ends = model.probability(model.log_odds(matrix.columns))
    return {
        lead_id: _build_waterfall(contributions, row, starts[row], ends[row], shift=shift)
        for row, lead_id in enumerate(matrix.keys["lead_id"])
    }


def _build_waterfall(
    contributions: Contributions,
    row: int,
    start: float,
    end: float,
    *,
    shift: float,
) -> Waterfall:
    """The parts of one lead: its largest groups, the running intercept, and the rest."""
    totals = contributions.totals[row]
    order = np.argsort(-np.abs(totals), kind="stable")
    *points, recent = spread_points(totals[order], start, end, shift=shift)
    shown = choose_shown(totals[order])
    parts = [Part(contributions.describe_main(row, order[place]), points[place]) for place in shown]
    left = np.delete(points, shown)
    return Waterfall(
        start=100 * start,
        parts=tuple(parts),
        others=sum(points) - sum(part.points for part in parts),
        others_lowering=float(left[left < 0].sum()),
        recent=recent,
    )


def choose_shown(totals: np.ndarray) -> list[int]:
    """Places (k,) of the groups to show: the strongest on each side, then the strongest of the rest.

    Args:
        totals: (groups,) what each adds to the log-odds, the largest first whatever its sign.

    >>> choose_shown(np.array([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, -1.0, 0.0]))
    [0, 1, 2, 3, 4, 5, 6, 8]
    """
    upward = np.flatnonzero(totals > 0)
    downward = np.flatnonzero(totals < 0)
    on_sides = [*upward[:ON_EACH_SIDE], *downward[:ON_EACH_SIDE]]
    weaker = sorted([*upward[ON_EACH_SIDE:], *downward[ON_EACH_SIDE:]])
    chosen = [*on_sides, *weaker][:LARGEST]
    return sorted(int(place) for place in chosen)


def spread_points(totals: np.ndarray, start: float, end: float, *, shift: float) -> list[float]:
    """The percentage points of each group, one after the other, and last of the running intercept.

    A part of log-odds is worth the points by which it moves the probability that the parts before
    it have made, so no level lies outside 0 and 100%.

    Args:
        totals: (groups,) what each group adds to the log-odds.
        start: the calibrated probability without any of them.
        end: the one with all of them.
        shift: the running intercept, in log-odds, which then moves it.

    >>> [round(points, 1) for points in spread_points(np.array([2.0, -1.0]), 0.5, 0.731, shift=0.0)]
    [38.1, -15.0, 0.0]
    """
    steps = _split_log_odds(totals, start, end)
    moved = np.cumsum([0.0, *steps, shift])
    levels = log_odds_of(np.array(start)) + moved
    percent = 100 / (1 + np.exp(-levels))
    points: list[float] = np.diff(percent).tolist()
    return points


def _split_log_odds(totals: np.ndarray, start: float, end: float) -> np.ndarray:
    """The calibrated log-odds from `start` to `end`, by group (groups,); they add up exactly."""
    if not totals.any():
        return np.zeros(len(totals))
    before, after = log_odds_of(np.array([start, end]))
    return apportion(after - before, totals, slope=1.0)
