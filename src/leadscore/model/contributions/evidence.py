"""What became of leads like this one: for each feature, how many had about the same value, and how many were won."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel

BINS = 8
LEAST = 30  # leads: of fewer nothing is said


def build_evidence(
    model: WinModel, matrix: Matrix, rows: pd.DataFrame, features: Sequence[Feature]
) -> dict[str, Any]:
    """Feature -> `edges` and `bins`, or `values`, each with leads and the weighted rate that was won, as JSON.

    Args:
        model: whose encoder makes numbers.
        matrix: has the features of all rows.
        rows: snapshots with label and weight; censored ones are left out.
        features: what the matrix holds.

    Numbers are told in up to eight bins of equally many rows; a bin or a category of fewer than 30 leads is null or
    left out, and so is what is not known, and whatever names our own people.
    """
    rows = rows[rows["label"].notna()]
    seen = matrix.take(rows)
    encoded = model.encode(seen.columns)
    leads, label, weight = (rows[name].to_numpy() for name in ("lead_id", "label", "weight"))
    found: dict[str, Any] = {}
    for at, feature in enumerate(features):
        if feature.names_people:
            continue
        if feature.is_category:
            values = pd.Series(seen.columns[feature.name])
            told = _rates(values.to_numpy(), leads, label, weight)
            found[feature.name] = {"values": {str(value): rate for value, rate in told.items()}}
            continue
        x = encoded[:, at]
        known = np.isfinite(x)
        edges = (
            np.unique(np.quantile(x[known], np.arange(1, BINS) / BINS))
            if known.any()
            else np.empty(0)
        )
        bins = np.where(known, np.searchsorted(edges, x, side="right"), -1)
        told = _rates(bins, leads, label, weight)
        found[feature.name] = {
            "edges": edges.tolist(),
            "bins": [told.get(i) for i in range(len(edges) + 1)],
        }
    return found


def _rates(
    group: np.ndarray, leads: np.ndarray, label: np.ndarray, weight: np.ndarray
) -> dict[Any, dict[str, float | int]]:
    frame = pd.DataFrame({"group": group, "lead": leads, "n": weight, "won": weight * label})
    sums = frame.groupby("group", sort=True).agg({"lead": "nunique", "n": "sum", "won": "sum"})
    sums = sums[(sums["lead"] >= LEAST) & (sums["n"] > 0)]
    return {
        value: {"leads": int(row["lead"]), "rate": round(float(row["won"] / row["n"]), 4)}
        for value, row in sums.iterrows()
    }


def tell_evidence(evidence: Mapping[str, Any], feature: Feature, value: Any) -> str:
    """What became of leads with about this value, as "of 412 such leads 31 % were won"; "" if there were too few."""
    told = evidence.get(feature.name)
    if told is None:
        return ""
    if feature.is_category:
        found = told["values"].get(value)
    else:
        found = told["bins"][int(np.searchsorted(told["edges"], value, side="right"))]
    return (
        f"of {found['leads']:,} such leads {found['rate']:.0%} were won".replace("%", " %")
        if found
        else ""
    )
