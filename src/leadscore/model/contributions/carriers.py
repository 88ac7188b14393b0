"""Which fields carry the score: those with the largest contributions to the log-odds."""

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
FIELD_FAMILIES = {"bant", "profile"}  # what the names of groups of fields begin with
SAMPLED = 1000  # rows, by hash of their lead; a share of 0.1 is then known to about 0.01


def describe_carriers(result: FitResult, settings: Settings) -> dict[str, Any] | None:
    """`compute_carriers` of a training, and the sentence about it as `said`.

    None where nothing was learned.
    """
    training = result.training
    if training is None:
        return None
    carriers = compute_carriers(result.model, training.matrix, training.side.rows, result.features)
    labels = {name: field.label for name, field in settings.lead_fields().items()}
    return carriers | {"said": summarise_carriers(carriers["groups"], labels)}


def compute_carriers(
    model: WinModel,
    matrix: Matrix,
    rows: pd.DataFrame,
    features: Sequence[Feature],
) -> dict[str, Any]:
    """Every group's share of the mean absolute contribution, the largest first, as JSON.

    Features about one thing (a field, a BANT letter, a kind of activity) are one group: their
    contributions are added before the sign is dropped, as in the reasons.

    Args:
        model: whose contributions count.
        matrix: has the features of all rows.
        rows: snapshots with `KEYS`.
        features: what the matrix holds.

    Returns:
        `rows`: how many it rests on. `groups`: group and share; the shares add up to 1, or all are
        0.
    """
    sample = _sample_by_lead(rows)
    contributions = model.contributions(matrix.take(sample).columns)

    by_group: dict[str, np.ndarray] = {}
    for position, feature in enumerate(features):
        so_far = by_group.get(feature.group, 0.0)
        by_group[feature.group] = so_far + contributions[:, position]

    sizes = {group: _mean_size(values) for group, values in by_group.items()}
    total = sum(sizes.values())
    shares = dict.fromkeys(sizes, 0.0)
    if total > 0:
        shares = {group: size / total for group, size in sizes.items()}

    largest_first = sorted(shares, key=lambda group: (-shares[group], group))
    groups = [{"group": group, "share": shares[group]} for group in largest_first]
    return {"rows": len(sample), "groups": groups}


def _sample_by_lead(rows: pd.DataFrame) -> pd.DataFrame:
    """The first `SAMPLED` rows by hash of the lead, then by moment."""
    hashes = pd.util.hash_array(rows["lead_id"].to_numpy(dtype=object))
    order = np.lexsort((rows["as_of_us"].to_numpy(), hashes))
    return rows.iloc[order[:SAMPLED]]


def _mean_size(contributions: np.ndarray) -> float:
    """The mean absolute contribution, 0 without rows."""
    if not len(contributions):
        return 0.0
    return float(np.abs(contributions).mean())


def share_of_fields(groups: Sequence[Mapping[str, Any]]) -> float:
    """How much of the score comes from fields, rather than from activities and stages."""
    shares = [row["share"] for row in groups if _family(row["group"]) in FIELD_FAMILIES]
    return float(sum(shares))


def summarise_carriers(
    groups: Sequence[Mapping[str, Any]],
    labels: Mapping[str, str | None],
) -> str:
    """Which groups carry the score, in a sentence.

    Args:
        groups: group and share, the largest first.
        labels: what people call fields.

    >>> groups = [{"group": "bant_need", "share": 0.7}, {"group": "profile_size", "share": 0.3}]
    >>> summarise_carriers(groups, {})
    'Most of the score comes from need (70 %) and size (30 %)'
    """
    moving = [row for row in groups if round(row["share"], 2) > 0]
    if not moving:
        return "No field moves the score"

    parts = []
    for row in moving[:NAMED]:
        name = _name_group(row["group"], labels)
        parts.append(f"{name} ({_percent(row['share'])})")

    rest = sum(row["share"] for row in moving[NAMED:])
    if rest > 0:
        parts.append(f"all others ({_percent(rest)})")

    *before, last = parts
    if before:
        last = f"{', '.join(before)} and {last}"
    return f"Most of the score comes from {last}"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _family(group: str) -> str:
    return group.partition("_")[0]


def _name_group(group: str, labels: Mapping[str, str | None]) -> str:
    """A group of features as a person calls it."""
    family, _, name = group.partition("_")
    if group.startswith("stage"):
        return group.replace("_", " ")
    label = labels.get(name) if family == "profile" else None
    return label or (name or family).replace("_", " ")
