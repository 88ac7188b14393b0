"""Which fields carry the score: whose contributions to the log-odds are largest, whichever way they point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.train import FitResult
from leadscore.settings.settings import Settings

NAMED = 5  # groups in the sentence
OF_FIELDS = {"bant", "profile"}  # what names of groups begin with
SAMPLED = 1000  # rows, by hash of their lead: a share of 0.1 is then known to about 0.01


def describe_carriers(result: FitResult, settings: Settings) -> dict[str, Any] | None:
    """What `compute_carriers` gives of a training, and what is `said` of it; None where nothing was learned."""
    training = result.training
    if training is None:
        return None
    found = compute_carriers(result.model, training.matrix, training.side.rows, result.features)
    labels = {name: field.label for name, field in settings.lead_fields().items()}
    return found | {"said": say_carriers(found["groups"], labels)}


def compute_carriers(
    model: WinModel, matrix: Matrix, rows: pd.DataFrame, features: Sequence[Feature]
) -> dict[str, Any]:
    """Each group's share of the mean absolute contribution, the largest first, as JSON.

    Features about one thing (a field, a BANT letter, a kind of activity) are one group: their contributions are added
    before the sign is dropped, as in the reasons.

    Args:
        model: whose contributions count.
        matrix: has the features of all rows.
        rows: snapshots with `KEYS`.
        features: what the matrix holds.

    Returns:
        `rows` that it rests on, and `groups`: group and share (all shares add up to 1, or are 0).
    """
    hashes = pd.util.hash_array(rows["lead_id"].to_numpy(dtype=object))
    order = np.lexsort((rows["as_of_us"].to_numpy(), hashes))[:SAMPLED]
    contributions = model.contributions(matrix.take(rows.iloc[order]).columns)
    by_group: dict[str, np.ndarray] = {}
    for at, feature in enumerate(features):
        by_group[feature.group] = by_group.get(feature.group, 0.0) + contributions[:, at]
    sizes = {
        group: float(np.abs(values).mean()) if len(values) else 0.0
        for group, values in by_group.items()
    }
    total = sum(sizes.values())
    shares = {group: size / total if total > 0 else 0.0 for group, size in sizes.items()}
    largest_first = sorted(shares, key=lambda group: (-shares[group], group))
    return {
        "rows": len(order),
        "groups": [{"group": group, "share": shares[group]} for group in largest_first],
    }


def share_of_fields(groups: Sequence[Mapping[str, Any]]) -> float:
    """How much of the score fields carry, rather than activities and stages: the sum of their groups' shares."""
    return float(
        sum(each["share"] for each in groups if each["group"].partition("_")[0] in OF_FIELDS)
    )


def say_carriers(groups: Sequence[Mapping[str, Any]], labels: Mapping[str, str | None]) -> str:
    """Which groups carry the score, in a sentence.

    Args:
        groups: group and share, the largest first.
        labels: what people call fields.

    >>> say_carriers([{"group": "bant_need", "share": 0.7}, {"group": "profile_size", "share": 0.3}], {})
    'Most of the score comes from need (70 %) and size (30 %)'
    """
    moving = [each for each in groups if round(each["share"], 2) > 0]
    if not moving:
        return "No field moves the score"
    parts = [
        f"{_name(each['group'], labels)} ({_percent(each['share'])})" for each in moving[:NAMED]
    ]
    if (rest := sum(each["share"] for each in moving[NAMED:])) > 0:
        parts.append(f"all others ({_percent(rest)})")
    *before, last = parts
    return f"Most of the score comes from {', '.join(before)}{' and ' if before else ''}{last}"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _name(group: str, labels: Mapping[str, str | None]) -> str:
    """A group of features as a person calls it."""
    family, _, name = group.partition("_")
    if group.startswith("stage"):
        return group.replace("_", " ")
    if family == "profile":
        return labels.get(name) or name.replace("_", " ")
    return (name or family).replace("_", " ")
