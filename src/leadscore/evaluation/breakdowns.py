"""An evaluation taken apart: by tier and segment, the Brier score into its parts, and the value that a list brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import (
    EvaluationSet,
    by_value,
    compute_brier,
    count_draws,
)
from leadscore.evaluation.resampled import BINS, draw_leads
from leadscore.history.labels import Side
from leadscore.history.split import History

CAPACITIES = (0.05, 0.1, 0.2, 0.3, 0.5)  # shares of the list that can be worked


def compute_groups(
    evaluated: EvaluationSet, names: np.ndarray, *, seed: int, draws: int | None = None
) -> list[dict[str, Any]]:
    """Of each group of rows, in the order of names (n,), what was promised and what came.

    Records of name, n, leads, mean_probability, win_rate with low and high (95 % over leads), auc, and `gap`, the mean
    probability less the win rate, with its own interval. Rows without a name (None) are left out.
    """
    told = np.array([value is not None for value in names], dtype=bool)
    part = evaluated.take(told)
    groups, at = np.unique(names[told].astype(str), return_inverse=True)

    def means(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        total = np.bincount(at, weights=weight, minlength=len(groups))
        with np.errstate(invalid="ignore", divide="ignore"):
            rate, mean = (
                np.bincount(at, weights=weight * x, minlength=len(groups)) / total
                for x in (part.label, part.probability)
            )
        return rate, mean

    rate, mean = means(part.weight)
    drawn = [
        means(part.weight * count)
        for count in draw_leads(part.units, seed=seed, draws=count_draws(part.units, draws))
    ]
    found = []
    for i, name in enumerate(groups):
        inside = at == i
        rates, gaps = np.array([r[i] for r, _ in drawn]), np.array([m[i] - r[i] for r, m in drawn])
        low, high, gap_low, gap_high = (
            float(x)
            for x in (*np.nanpercentile(rates, [2.5, 97.5]), *np.nanpercentile(gaps, [2.5, 97.5]))
        )
        leads = len(np.unique(part.lead_id[inside]))
        units = len(np.unique(part.units[inside]))
        surprise = 1 - 0.025 ** (1 / units)  # a resample of leads of one fate knows no other
        auc = part.take(inside).auc()
        found.append(
            {
                "name": str(name),
                "n": int(inside.sum()),
                "leads": leads,
                "mean_probability": float(mean[i]),
                "win_rate": float(rate[i]),
                "low": 1 - surprise if rate[i] == 1 else low,
                "high": surprise if rate[i] == 0 else high,
                "auc": auc if np.isfinite(auc) else None,
                "gap": {"value": float(mean[i] - rate[i]), "low": gap_low, "high": gap_high},
            }
        )
    return found


def compute_decomposition(evaluated: EvaluationSet) -> dict[str, float]:
    """The Brier score as reliability - resolution + uncertainty + within (Murphy 1973; Stephenson et al. 2008).

    Over ten bins of equally many rows by probability, equal probabilities together. reliability: how far bins are from
    their win rate; resolution: how far their win rates are from that of all; uncertainty: of a win rate alone; within:
    the spread of probabilities inside the bins, less twice their covariance there with what happened.
    """
    p, y, w = evaluated.probability, evaluated.label, evaluated.weight
    values, won, lost = by_value(p, y, w)
    weight = won + lost
    _, at = np.unique(np.searchsorted(np.sort(p), values) * BINS // len(p), return_inverse=True)
    total = np.bincount(at, weights=weight)
    share = total / total.sum()
    mean, rate = (np.bincount(at, weights=x) / total for x in (weight * values, won))
    base = float(won.sum() / weight.sum())
    off = values - mean[at]
    within = (weight * off**2 - 2 * (won - weight * rate[at]) * off).sum() / weight.sum()
    return {
        "reliability": float(share @ (mean - rate) ** 2),
        "resolution": float(share @ (rate - base) ** 2),
        "uncertainty": base * (1 - base),
        "within": float(within),
        "brier": compute_brier(p, y, w),
    }


def compute_captured(
    evaluated: EvaluationSet,
    value: np.ndarray,
    orders: Mapping[str, np.ndarray],
    *,
    shares: Sequence[float] = CAPACITIES,
) -> list[dict[str, float]]:
    """Share of the value of all wins that working so much of the list from the top captures, in each order.

    Args:
        evaluated: rows with what became of them.
        value: (n,) what a win is worth.
        orders: name -> (n,) what the list is ordered by, falling; rows that are equal come in random order.
        shares: how much of the list, by weight, can be worked.

    Returns:
        Records of share, each of `orders`, `oracle` (which knows what will be won) and `random`.
    """
    gain = evaluated.weight * evaluated.label * value
    every = {**orders, "oracle": evaluated.label * value}
    curves = {name: _captured(by, gain, evaluated.weight) for name, by in every.items()}
    return [
        {"share": share, "random": share}
        | {
            name: float(np.interp(share, worked, captured))
            for name, (worked, captured) in curves.items()
        }
        for share in shares
    ]


def _captured(
    by: np.ndarray, gain: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Share of the list worked and of the value captured, at each distinct place of an order, from (0, 0)."""
    _, at = np.unique(-by, return_inverse=True)
    worked, captured = (np.r_[0.0, np.cumsum(np.bincount(at, weights=x))] for x in (weight, gain))
    return worked / worked[-1], captured / captured[-1] if captured[-1] > 0 else captured


def read_values(
    history: History, rows: pd.DataFrame, *, known_us: int
) -> tuple[np.ndarray, str | None]:
    """What a win of each row's lead brought (n,), and in which currency; ones, and None, where nothing tells it.

    By the amounts of outcomes known at a moment; a win without one counts as their median.
    """
    wins = history.facts.wins(known_us)
    currencies = wins["currency"].dropna().unique()
    largest = wins.groupby("lead_id")["amount"].max()
    amount = rows["lead_id"].map(largest).to_numpy(dtype=float)
    if len(currencies) > 1 or not np.isfinite(amount).any():
        return np.ones(len(rows)), None
    minor = 10 ** history.settings.lead_fields()["amount"].decimals
    worth = np.where(np.isfinite(amount), amount, np.nanmedian(amount)) / minor
    return worth, str(currencies[0]) if len(currencies) else "the amounts' currency"


def find_never_worked(history: History, side: Side) -> np.ndarray | None:
    """Which rows (n,) are of leads that were lost before a rep had done anything, as known with the labels.

    None where no rep is known to have done anything at all.

    Nobody knows what would have become of them: they were not worked.
    """
    first_worked = history.facts.first_worked(side.known_us)
    if first_worked.empty:
        return None
    spells = history.spells(side.known_us)
    rows = side.rows[["lead_id", "spell"]].merge(
        spells, on=["lead_id", "spell"], how="left", validate="many_to_one"
    )
    first = rows["lead_id"].map(first_worked).to_numpy(dtype=float)
    close = rows["close_us"].to_numpy()
    lost = (close < side.known_us) & ~rows["won"].to_numpy(dtype=bool)
    return np.asarray(lost & ~(first < close))
