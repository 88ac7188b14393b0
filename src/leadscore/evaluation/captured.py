"""How much of the value of all wins a team captures that works a list from the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.sums import sum_by
from leadscore.history.split import History

CAPACITIES = (0.05, 0.1, 0.2, 0.3, 0.5)  # shares of the list that can be worked


def compute_captured(
    evaluated: EvaluationSet,
    value: np.ndarray,
    orders: Mapping[str, np.ndarray],
    *,
    shares: Sequence[float] = CAPACITIES,
) -> list[dict[str, float]]:
    """The share of the value of all wins captured by working a share of the list, for each order.

    Args:
        evaluated: rows with their outcomes.
        value: (n,) of a win.
        orders: name -> (n,) what the list is ordered by, falling; ties come in random order.
        shares: of the list, by weight, that can be worked.

    Returns:
        Records of share, each of `orders`, `oracle` (which knows what will be won) and `random`.
    """
    gain = evaluated.weight * evaluated.label * value
    every = {**orders, "oracle": evaluated.label * value}
    curves = {name: _curve(by, gain, evaluated.weight) for name, by in every.items()}

    records = []
    for share in shares:
        record = {"share": share, "random": share}
        for name, (worked, captured) in curves.items():
            record[name] = float(np.interp(share, worked, captured))
        records.append(record)
    return records


def _curve(by: np.ndarray, gain: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The shares of the list worked and of the value captured after each tie, from (0, 0)."""
    values, tie = np.unique(-by, return_inverse=True)
    weight_of_tie = sum_by(tie, weight, places=len(values))
    gain_of_tie = sum_by(tie, gain, places=len(values))
    worked = np.r_[0.0, np.cumsum(weight_of_tie)]
    captured = np.r_[0.0, np.cumsum(gain_of_tie)]
    if captured[-1] > 0:
        captured = captured / captured[-1]
    return worked / worked[-1], captured


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
    value = np.where(is_known, amount, np.nanmedian(amount)) / minor_units
    currency = str(currencies[0]) if len(currencies) else "the amounts' currency"
    return value, currency
