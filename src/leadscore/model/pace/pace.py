"""The pace of wins: which share of those within the horizon comes by each of several days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import lightgbm
import numpy as np

from leadscore.model.apply import Columns, WinModel, add_codes, encode, sigmoid


@dataclass(frozen=True)
class Pace:
    """How the chance of each lead to be won within the horizon is spread over it.

    Attributes:
        days: (k + 1,) rising from 0 to the horizon.
        shares: (n, k + 1) of the chance of each lead that come by these days, from 0 to 1.
    """

    days: np.ndarray
    shares: np.ndarray

    @classmethod
    def unknown(cls, leads: int, *, horizon_days: float) -> Self:
        """Nothing is known of what happens between now and the horizon."""
        days = np.array([0.0, horizon_days])
        return cls(days, np.tile([0.0, 1.0], (leads, 1)))

    @property
    def is_known(self) -> bool:
        """Whether anything is known of what happens between now and the horizon."""
        return len(self.days) > 2


def predict_pace(model: WinModel, columns: Columns, *, horizon_days: float) -> Pace:
    """The pace of leads with these features; unknown of a model that learned none.

    Args:
        model: what scores them.
        columns: their features (n,).
        horizon_days: of the model.
    """
    learned = model.document.get("pace")
    if learned is None:
        leads = len(next(iter(columns.values())))
        return Pace.unknown(leads, horizon_days=horizon_days)
    return predict_pace_of(learned, columns)


def predict_pace_of(learned: Mapping[str, Any], columns: Columns) -> Pace:
    """The pace of leads with these features, by one as JSON (see `fit.fit_pace`).

    Of the wins still to come a part comes in the next interval: that of all leads alike, moved by
    the trees in log-odds. The last interval has the rest.
    """
    encoded = encode(learned["encoder"], columns)
    encoded = add_codes(learned["levels"], encoded, columns)
    booster = lightgbm.Booster(model_str=learned["trees"])
    to_come = np.ones(len(encoded))
    shares = [1 - to_come]
    for interval, alike in enumerate(learned["log_odds"]):
        asked = add_interval(encoded, interval)
        added = booster.predict(asked, raw_score=True, num_threads=1)
        comes = sigmoid(alike + np.asarray(added))
        to_come = to_come * (1 - comes)
        shares.append(1 - to_come)
    shares.append(np.ones(len(encoded)))
    return Pace(np.array(learned["days"]), np.column_stack(shares))


def add_interval(encoded: np.ndarray, interval: int) -> np.ndarray:
    """Encoded features (n, m + 1) with the number of an interval."""
    column = np.full(len(encoded), float(interval))
    return np.column_stack([encoded, column])
