"""How the features that a model learned from are distributed: what later lists are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.sums import sum_by
from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.censoring import count_effective_leads

BINS = 10
LEAST = 30  # leads that a category's value needs to be named; rarer ones might be somebody's name


def build_bins(matrix: Matrix, rows: pd.DataFrame, features: Sequence[Feature]) -> dict[str, Any]:
    """The share of snapshots in each bin of every feature, as JSON.

    A number has `edges` and `shares`, up to ten bins of equally much weight, `low` and `high`. A
    category has `values` with their shares, those of few leads together as `other`. Both have
    `missing`. Features that name our own people are left out. `leads` counts how many leads of
    equal weight the snapshots are worth.

    Args:
        matrix: has the features of all rows.
        rows: snapshots with grid_weight, censored ones too: how leads are, not what becomes of them.
        features: what the matrix holds.
    """
    columns = matrix.take(rows).columns
    weight = rows["grid_weight"].to_numpy(dtype=float)
    lead_id = rows["lead_id"].to_numpy()
    bins: dict[str, Any] = {}
    for feature in features:
        values = columns[feature.name]
        if feature.names_people:
            continue
        if feature.is_category:
            bins[feature.name] = _count_values(values, weight, lead_id)
        else:
            bins[feature.name] = _cut(values, weight)
    return {"leads": count_effective_leads(weight, lead_id), "features": bins}


def _cut(values: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    known = np.isfinite(values)
    missing = _share(weight[~known], weight)
    if not known.any():
        return {
            "edges": [],
            "shares": [0.0],
            "missing": missing,
            "low": None,
            "high": None,
        }
    numbers = values[known]
    weight_known = weight[known]
    edges = _find_edges(numbers, weight_known)
    at = np.searchsorted(edges, numbers, side="right")
    weight_of_bins = sum_by(at, weight_known, places=len(edges) + 1)
    shares = weight_of_bins / weight.sum()
    return {
        "edges": edges.tolist(),
        "shares": shares.tolist(),
        "missing": missing,
        "low": float(numbers.min()),
        "high": float(numbers.max()),
    }


def _find_edges(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Where the bins begin, up to nine: at the tenths of the weight, each once."""
    order = np.argsort(values, kind="stable")
    rising = values[order]
    weight_rising = weight[order]
    weight_before = np.cumsum(weight_rising) - weight_rising
    share_before = weight_before / weight.sum()
    levels = np.arange(1, BINS) / BINS
    at = np.searchsorted(share_before, levels, side="left")
    last = len(rising) - 1
    edges = np.unique(rising[np.minimum(at, last)])
    return np.asarray(edges[edges > rising[0]])


def _count_values(values: np.ndarray, weight: np.ndarray, lead_id: np.ndarray) -> dict[str, Any]:
    known = np.array([value is not None for value in values])
    missing = _share(weight[~known], weight)
    rows = pd.DataFrame({"value": values, "weight": weight, "lead": lead_id})
    by_value = rows[known].groupby("value", sort=True)
    sums = by_value.agg({"weight": "sum", "lead": "nunique"})
    is_common = sums["lead"] >= LEAST
    of_common = sums.loc[is_common, "weight"] / weight.sum()
    shares = {str(value): float(share) for value, share in of_common.items()}
    other = max(1.0 - missing - sum(shares.values()), 0.0)
    return {"values": shares, "other": other, "missing": missing}


def _share(part: np.ndarray, weight: np.ndarray) -> float:
    return float(part.sum() / weight.sum())
