"""Which fields carry the score: those with the largest contributions to the log-odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.train import FitResult
from leadscore.results import Carriers, CarrierShare
from leadscore.settings.settings import Settings
from leadscore.wording import whole_percent

NAMED = 5  # groups in the sentence
FIELD_FAMILIES = {"bant", "profile"}  # what the names of groups of fields begin with
WHOLE_NAMES = {"stage", "account", "contact"}  # families whose groups keep it in their name
NO_LABELS: Mapping[str, str | None] = {}
SAMPLED = 1000  # rows, by hash of their lead; a share of 0.1 is then known to about 0.01


def describe_carriers(result: FitResult, settings: Settings) -> Carriers | None:
    """The carriers of a training; None where nothing was learned."""
    training = result.training
    if training is None:
        return None
    fields = settings.lead_fields()
    labels = {name: field.label for name, field in fields.items()}
    return compute_carriers(
        result.model,
        training.matrix,
        training.side.rows,
        result.features,
        labels=labels,
    )


def compute_carriers(
    model: WinModel,
    matrix: Matrix,
    rows: pd.DataFrame,
    features: Sequence[Feature],
    *,
    labels: Mapping[str, str | None] = NO_LABELS,
) -> Carriers:
    """Every group's share of the mean absolute contribution, the largest first.

    The shares add up to 1, or all are 0.

    Features about one thing (a field, a BANT letter, a kind of activity) are one group: their
    contributions are added before the sign is dropped, as in the reasons.

    Args:
        model: whose contributions count.
        matrix: has the features of all rows.
        rows: snapshots with `KEYS`.
        features: what the matrix holds.
        labels: what people call fields.
    """
    sample = _sample_by_lead(rows)
    contributions = model.contributions(matrix.take(sample).columns)

    shares = _share_by_group(contributions, features)

    def by_share(group: str) -> tuple[float, str]:
        return -shares[group], group

    largest_first = sorted(shares, key=by_share)
    groups = [CarrierShare(group=group, share=shares[group]) for group in largest_first]
    summary = summarise_carriers(groups, labels)
    return Carriers(rows=len(sample), groups=groups, summary=summary)


def _share_by_group(contributions: np.ndarray, features: Sequence[Feature]) -> dict[str, float]:
    """The share of every group; all are 0 where nothing contributes."""
    by_group: dict[str, np.ndarray] = {}
    for position, feature in enumerate(features):
        so_far = by_group.get(feature.group, 0.0)
        by_group[feature.group] = so_far + contributions[:, position]

    sizes = {group: _mean_size(values) for group, values in by_group.items()}
    total = sum(sizes.values())
    if total > 0:
        return {group: size / total for group, size in sizes.items()}
    return dict.fromkeys(sizes, 0.0)


def _sample_by_lead(rows: pd.DataFrame) -> pd.DataFrame:
    """The first `SAMPLED` rows by hash of the lead, then by moment."""
    lead_id = rows["lead_id"].to_numpy(dtype=object)
    hashes = pd.util.hash_array(lead_id)
    as_of_us = rows["as_of_us"].to_numpy()
    order = np.lexsort((as_of_us, hashes))
    return rows.iloc[order[:SAMPLED]]


def _mean_size(contributions: np.ndarray) -> float:
    """The mean absolute contribution, 0 without rows."""
    if not len(contributions):
        return 0.0
    return float(np.abs(contributions).mean())


def share_of_fields(groups: Sequence[CarrierShare]) -> float:
    """How much of the score comes from fields, rather than from activities and stages."""
    of_fields = [carrier for carrier in groups if _family(carrier.group) in FIELD_FAMILIES]
    shares = [carrier.share for carrier in of_fields]
    return float(sum(shares))


def summarise_carriers(
    groups: Sequence[CarrierShare],
    labels: Mapping[str, str | None],
) -> str:
    """Which groups carry the score, in a sentence.

    Args:
        groups: the largest first.
        labels: what people call fields.

    >>> need = CarrierShare(group="bant_need", share=0.7)
    >>> size = CarrierShare(group="profile_size", share=0.3)
    >>> summarise_carriers([need, size], {})
    'The score comes from need (70%) and size (30%)'
    """
    moving = [carrier for carrier in groups if whole_percent(carrier.share) > 0]
    if not moving:
        return "No field moves the score"

    parts = []
    for carrier in moving[:NAMED]:
        name = _name_group(carrier.group, labels)
        parts.append(f"{name} ({_percent(carrier.share)})")

    rest = sum(carrier.share for carrier in moving[NAMED:])
    if rest > 0:
        parts.append(f"all others ({_percent(rest)})")

    *before, last = parts
    if before:
        last = f"{', '.join(before)} and {last}"
    return f"The score comes from {last}"


def _percent(share: float) -> str:
    return f"{whole_percent(share)}%"


def _family(group: str) -> str:
    return group.partition("_")[0]


def _name_group(group: str, labels: Mapping[str, str | None]) -> str:
    """A group of features as a person calls it."""
    family, _, name = group.partition("_")
    if family in WHOLE_NAMES:
        return group.replace("_", " ")
    label = labels.get(name) if family == "profile" else None
    return label or (name or family).replace("_", " ")
