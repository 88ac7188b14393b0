"""Learns the pace of wins: boosted trees over the intervals that a win has not yet come in.

Discrete-time survival (Singer and Willett 1993) of the wins within the horizon alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import lightgbm
import numpy as np

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.model.apply import add_codes
from leadscore.model.encode import encode_training, fit_encoder, fit_levels
from leadscore.model.pace.pace import add_interval, count_asked
from leadscore.model.scorers.boosted import Boosting, TreeRows, least_share_of
from leadscore.times import DAY_US

INTERVALS = 6  # of the horizon, with equally many wins in each
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


def fit_pace(
    wins: Wins,
    days: Sequence[float],
    *,
    features: Sequence[Feature],
    seed: int,
) -> dict[str, Any]:
    """A pace as JSON, for `predict_pace`.

    Categories are encoded by how many of their wins come in the first half of the intervals.

    Args:
        wins: to learn from.
        days: between which the intervals are.
        features: of the wins.
        seed: of the trees.
    """
    place = wins.place(days)
    is_early = (place < (len(days) - 1) / 2).astype(float)
    levels = fit_levels(wins.seen, features)
    encoded = encode_training(wins.seen, is_early, wins.weight, features)
    encoded = add_codes(levels, encoded, wins.seen.columns)
    return {
        "days": list(days),
        "encoder": fit_encoder(wins.seen, is_early, wins.weight, features),
        "levels": levels,
        "trees": _stack(encoded, place, wins.weight, asked=count_asked(days)).fit(
            BOOSTING, seed=seed, threads=1
        ),
    }


def _stack(encoded: np.ndarray, place: np.ndarray, weight: np.ndarray, *, asked: int) -> TreeRows:
    """A row for each interval that a win had not yet come in, labelled by whether it then came."""
    rows = []
    labels = []
    weights = []
    for interval in range(asked):
        is_to_come = place >= interval
        rows.append(add_interval(encoded[is_to_come], interval))
        labels.append(place[is_to_come] == interval)
        weights.append(weight[is_to_come])

    stacked = np.concatenate(rows)
    label = np.concatenate(labels).astype(float)
    data = lightgbm.Dataset(stacked, label, weight=np.concatenate(weights))
    return TreeRows(
        data=data,
        count=len(label),
        directions=[0] * stacked.shape[1],  # those of the features are about whether, not when
        least_share=least_share_of(stacked),
    )
