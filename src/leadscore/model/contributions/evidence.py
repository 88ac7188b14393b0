"""The win rates of similar leads: for every feature, how many had about the same value and won."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel

BINS = 8
LEAST = 30  # leads; a rate of fewer is not shown


def build_evidence(
    model: WinModel,
    matrix: Matrix,
    rows: pd.DataFrame,
    features: Sequence[Feature],
) -> dict[str, Any]:
    """Leads and weighted win rate by value, for every feature, as JSON.

    A category has `values`. A number has `edges` and `bins`, up to eight bins of equally many rows.
    A bin of fewer than `LEAST` leads is null, such a category is left out, and so are unknown
    values and features that name our own people.

    Args:
        model: its encoder turns features into numbers.
        matrix: has the features of all rows.
        rows: snapshots with label and weight; censored ones are left out.
        features: what the matrix holds.
    """
    rows = rows[rows["label"].notna()]
    seen = matrix.take(rows)
    encoded = model.encode(seen.columns)

    evidence: dict[str, Any] = {}
    for position, feature in enumerate(features):
        if feature.names_people:
            continue
        if feature.is_category:
            rates = _measure_rates(seen.columns[feature.name], rows)
            evidence[feature.name] = {"values": {str(value): rates[value] for value in rates}}
        else:
            evidence[feature.name] = _measure_bins(encoded[:, position], rows)
    return evidence


def _measure_bins(values: np.ndarray, rows: pd.DataFrame) -> dict[str, Any]:
    """The bins of a number (n,), NaN where unknown, with their rates or null."""
    known = np.isfinite(values)
    edges = np.empty(0)
    if known.any():
        edges = np.unique(np.quantile(values[known], np.arange(1, BINS) / BINS))

    bin_of_row = np.where(known, np.searchsorted(edges, values, side="right"), -1)
    rates = _measure_rates(bin_of_row, rows)
    return {"edges": edges.tolist(), "bins": [rates.get(i) for i in range(len(edges) + 1)]}


def _measure_rates(group: np.ndarray, rows: pd.DataFrame) -> dict[Any, dict[str, float | int]]:
    """Leads and weighted win rate by group (n,), of groups with at least `LEAST` leads."""
    weight = rows["weight"].to_numpy()
    frame = pd.DataFrame(
        {
            "group": group,
            "lead": rows["lead_id"].to_numpy(),
            "n": weight,
            "won": weight * rows["label"].to_numpy(),
        }
    )
    sums = frame.groupby("group", sort=True).agg({"lead": "nunique", "n": "sum", "won": "sum"})
    sums = sums[(sums["lead"] >= LEAST) & (sums["n"] > 0)]

    rates: dict[Any, dict[str, float | int]] = {}
    for value, row in sums.iterrows():
        rate = float(row["won"] / row["n"])
        rates[value] = {"leads": int(row["lead"]), "rate": round(rate, 4)}
    return rates


def describe_evidence(evidence: Mapping[str, Any], feature: Feature, value: Any) -> str:
    """The win rate of leads with about this value: "of 412 such leads 31 % were won".

    "" where there are too few such leads.
    """
    of_feature = evidence.get(feature.name)
    if of_feature is None:
        return ""

    if feature.is_category:
        similar = of_feature["values"].get(value)
    else:
        position = np.searchsorted(of_feature["edges"], value, side="right")
        similar = of_feature["bins"][int(position)]
    if not similar:
        return ""

    percent = f"{similar['rate']:.0%}".replace("%", " %")
    return f"of {similar['leads']:,} such leads {percent} were won"
