"""The reliability table: whether leads are won as often as predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.evaluation.intervals import PERCENTILES, bound_if_unanimous
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.resampled import BINS, draw_leads
from leadscore.evaluation.sums import sum_by
from leadscore.results import Bin


def compute_reliability(
    evaluated: EvaluationSet,
    *,
    seed: int = 0,
    draws: int | None = None,
) -> list[Bin]:
    """Ten bins of equally many rows by probability, and their win rates with 95% intervals.

    Intervals are over leads. A bin in which nobody won, or everybody, looks certain to every
    resample; the far end of its interval is the exact bound for so many leads that ended alike.
    """
    rows = _bin_rows(evaluated)
    bins = rows.groupby("bin").agg(
        n=("label", "size"),
        leads=("lead_id", "nunique"),
        units=("unit", "nunique"),
        weight=("weight", "sum"),
        predicted=("predicted", "sum"),
        won=("won", "sum"),
    )
    rate = bins["won"] / bins["weight"]
    low, high = _rate_intervals(rows, seed=seed, draws=draws)
    bound = bound_if_unanimous(bins["units"].to_numpy())

    bins = bins.assign(
        mean_probability=bins["predicted"] / bins["weight"],
        win_rate=rate,
        low=np.where(rate == 1, 1 - bound, low),
        high=np.where(rate == 0, bound, high),
    )
    records = bins[list(Bin.model_fields)].to_dict("records")
    return [Bin.model_validate(record) for record in records]


def _bin_rows(evaluated: EvaluationSet) -> pd.DataFrame:
    """The rows by rising probability, with `bin`, `unit`, and weighted `predicted` and `won`."""
    by = (evaluated.label, evaluated.weight, evaluated.lead_id, evaluated.probability)
    order = np.lexsort(by)
    n = len(order)
    bins = np.arange(n) * BINS // max(n, 1)
    rows = pd.DataFrame(
        {
            "lead_id": evaluated.lead_id,
            "unit": evaluated.units,
            "label": evaluated.label,
            "weight": evaluated.weight,
            "predicted": evaluated.probability * evaluated.weight,
            "won": evaluated.label * evaluated.weight,
        }
    )
    return rows.iloc[order].assign(bin=bins)


def _rate_intervals(
    rows: pd.DataFrame,
    *,
    seed: int,
    draws: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """The 95% interval (bins,) of each win rate; resamples without leads of a bin are left out."""
    if rows.empty:
        return np.empty(0), np.empty(0)

    bins, at = np.unique(rows["bin"], return_inverse=True)
    weight = rows["weight"].to_numpy()
    won = rows["won"].to_numpy()
    unit = rows["unit"].to_numpy()

    rates = []
    for count in draw_leads(unit, seed=seed, draws=draws):
        total = sum_by(at, weight * count, places=len(bins))
        total_won = sum_by(at, won * count, places=len(bins))
        rate = total_won / np.where(total > 0, total, 1)
        is_weighed = total > 0
        rates.append(np.where(is_weighed, rate, np.nan))
    drawn = np.stack(rates)
    low, high = np.nanpercentile(drawn, PERCENTILES, axis=0)
    return low, high
