"""How much of the value of all wins a team captures that works a list from the top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.sums import sum_by
from leadscore.history.split import History
from leadscore.results import CapturedPoint

CAPACITIES = (0.05, 0.1, 0.2, 0.3, 0.5)  # shares of the list that can be worked


@dataclass(frozen=True)
class _Curve:
    """The shares of the list worked and of the value captured after each tie, from (0, 0)."""

    worked: np.ndarray
    captured: np.ndarray

    def at(self, share: float) -> float:
        """The share of the value captured by working a share of the list."""
        return float(np.interp(share, self.worked, self.captured))


def compute_captured(
    evaluated: EvaluationSet,
    value: np.ndarray,
    scorecard: np.ndarray,
    *,
    shares: Sequence[float] = CAPACITIES,
) -> list[CapturedPoint]:
    """The share of the value of all wins captured by working a share of the list, in several orders.

    An order is falling; ties come in random order.

    Args:
        evaluated: rows with their outcomes.
        value: (n,) of a win.
        scorecard: (n,) the log-odds of the scorecard, for comparison.
        shares: of the list, by weight, that can be worked.
    """
    weight = evaluated.weight
    value_won = evaluated.label * value
    gain = weight * value_won
    by_model = _curve(evaluated.probability, gain, weight)
    by_scorecard = _curve(scorecard, gain, weight)
    by_oracle = _curve(value_won, gain, weight)

    points = []
    for share in shares:
        point = CapturedPoint(
            share=share,
            random=share,
            leadscore=by_model.at(share),
            scorecard=by_scorecard.at(share),
            oracle=by_oracle.at(share),
        )
        points.append(point)
    return points


def _curve(by: np.ndarray, gain: np.ndarray, weight: np.ndarray) -> _Curve:
    """The curve of a list in falling order of `by` (n,)."""
    values, tie = np.unique(-by, return_inverse=True)
    weight_of_tie = sum_by(tie, weight, places=len(values))
    gain_of_tie = sum_by(tie, gain, places=len(values))
    worked = np.r_[0.0, np.cumsum(weight_of_tie)]
    captured = np.r_[0.0, np.cumsum(gain_of_tie)]
    if captured[-1] > 0:
        captured = captured / captured[-1]
    return _Curve(worked / worked[-1], captured)


def read_values(
    history: History,
    rows: pd.DataFrame,
    *,
    known_us: int,
) -> tuple[np.ndarray, str | None]:
    """What a win of each row's lead brought (n,), and its currency.

    From the amounts of outcomes known at `known_us`; a win without an amount counts as their
    median. Without amounts, or with several currencies, every win is worth 1, in no currency.
    """
    wins = history.facts.wins(known_us)
    currencies = wins["currency"].dropna().unique()
    largest = wins.groupby("lead_id")["amount"].max()
    amount = rows["lead_id"].map(largest).to_numpy(dtype=float)
    is_known = np.isfinite(amount)
    if len(currencies) > 1 or not is_known.any():
        return np.ones(len(rows)), None

    minor_units = 10 ** history.settings.lead_fields()["amount"].decimals
    usual = np.nanmedian(amount)
    value = np.where(is_known, amount, usual) / minor_units
    currency = str(currencies[0]) if len(currencies) else "the amounts' currency"
    return value, currency
