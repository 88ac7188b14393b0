"""Learns the pace of wins: boosted trees over the intervals that a win has not yet come in.

Discrete-time survival (Singer and Willett 1993) of the wins within the horizon alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import lightgbm
import numpy as np

from leadscore.evaluation.sums import sum_by
from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.model.apply import logit
from leadscore.model.encode import TrainingColumns, fit_levels
from leadscore.model.pace.pace import add_interval
from leadscore.model.sampled import draw_rows
from leadscore.model.scorers.boosted import Boosting, TreeRows, least_share_of
from leadscore.times import DAY_US

INTERVALS = 6  # of the horizon, with equally many wins in each
MOST_WINS = 50_000  # that learn: each is up to five rows of the trees
BOOSTING = Boosting(trees=150)


@dataclass(frozen=True)
class Wins:
    """Snapshots of leads that were won within the horizon.

    Attributes:
        seen: their features.
        days: (n,) from the snapshot to the win.
        weight: (n,) not negative.
    """

    seen: Matrix
    days: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, matrix: Matrix, side: Side) -> Self:
        """The wins among dated snapshots, with their features in a matrix."""
        assert side.x_us is not None  # noqa: S101
        is_won = (side.rows["label"] == 1).to_numpy()
        won = side.rows[is_won]
        return cls(
            seen=matrix.take(won),
            days=side.x_us[is_won] / DAY_US,
            weight=won["weight"].to_numpy(),
        )

    def at(self, where: np.ndarray) -> Wins:
        """Those where a mask (n,) is true."""
        return Wins(
            seen=self.seen.rows(np.flatnonzero(where)),
            days=self.days[where],
            weight=self.weight[where],
        )

    def thinned(self, most: int, *, seed: int) -> Wins:
        """At most so many, those of randomly drawn leads (see `draw_rows`)."""
        if len(self.days) <= most:
            return self
        return self.at(draw_rows(self.seen.keys, most=most, seed=seed))

    @property
    def lead_id(self) -> np.ndarray:
        """Whose each snapshot (n,) is."""
        return self.seen.keys["lead_id"].to_numpy()

    def count_leads(self) -> int:
        """How many leads they are of."""
        return len(np.unique(self.lead_id))

    def place(self, days: Sequence[float]) -> np.ndarray:
        """The number (n,) of the interval between these days that each win comes in."""
        last_passed = np.searchsorted(days, self.days, side="right")
        intervals = len(days) - 1
        return np.asarray(np.minimum(last_passed, intervals) - 1)


def choose_days(wins: Wins, *, horizon_days: int) -> list[float]:
    """Days from 0 to the horizon (k + 1,), rising, with about equally many wins between them."""
    parts = np.arange(1, INTERVALS) / INTERVALS
    inner = np.quantile(wins.days, parts)
    days = np.concatenate([[0.0], inner, [float(horizon_days)]])
    rising: list[float] = np.unique(days).tolist()
    return rising


def share_alike(wins: Wins, days: Sequence[float]) -> np.ndarray:
    """The share (k,) of wins that come in each interval; one more in each, so that none is 0."""
    intervals = len(days) - 1
    in_each = sum_by(wins.place(days), wins.weight, places=intervals) + 1
    return np.asarray(in_each / in_each.sum())


def fit_pace(
    wins: Wins,
    days: Sequence[float],
    *,
    features: Sequence[Feature],
    seed: int,
) -> dict[str, Any]:
    """A pace as JSON, for `predict_pace`.

    The trees correct the shares of all wins alike. Categories are encoded by how many of their wins
    come in the first half of the intervals.

    Args:
        wins: to learn from, those of randomly drawn leads where there are more than `MOST_WINS`.
        days: between which the intervals are.
        features: of the wins.
        seed: of the trees and of the leads drawn.
    """
    wins = wins.thinned(MOST_WINS, seed=seed)
    place = wins.place(days)
    intervals = len(days) - 1
    is_early = (place < intervals / 2).astype(float)
    levels = fit_levels(wins.seen, features)
    columns = TrainingColumns.of(wins.seen, is_early, wins.weight, features)
    alike = _log_odds_alike(wins, days)
    rows = _stack(columns.stack(levels), place, wins.weight, alike=alike)
    return {
        "days": list(days),
        "encoder": columns.encoder,
        "levels": levels,
        "log_odds": alike.tolist(),
        "trees": rows.fit(BOOSTING, seed=seed, threads=1),
    }


def _log_odds_alike(wins: Wins, days: Sequence[float]) -> np.ndarray:
    """For each interval but the last (k - 1,) the log-odds that a win not come before comes in it."""
    share = share_alike(wins, days)
    not_before = share[::-1].cumsum()[::-1]
    return logit(share[:-1] / not_before[:-1])


def _stack(
    encoded: np.ndarray,
    place: np.ndarray,
    weight: np.ndarray,
    *,
    alike: np.ndarray,
) -> TreeRows:
    """A row for each interval that a win had not yet come in, labelled by whether it then came."""
    rows = []
    labels = []
    weights = []
    begin_with = []
    for interval, log_odds in enumerate(alike):
        is_to_come = place >= interval
        rows.append(add_interval(encoded[is_to_come], interval))
        labels.append(place[is_to_come] == interval)
        weights.append(weight[is_to_come])
        begin_with.append(np.full(is_to_come.sum(), log_odds))

    stacked = np.concatenate(rows)
    label = np.concatenate(labels).astype(float)
    data = lightgbm.Dataset(
        stacked,
        label,
        weight=np.concatenate(weights),
        init_score=np.concatenate(begin_with),
    )
    return TreeRows(
        data=data,
        count=len(label),
        directions=[0] * stacked.shape[1],  # those of the features are about whether, not when
        least_share=least_share_of(stacked),
    )
