"""How the features of a list differ from those that its model learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leadscore.evaluation.stability import compute_psi
from leadscore.features.feature import Feature
from leadscore.results.drift import FeatureDrift

GROWS = ("days", "days ahead")  # units whose range grows as the record gets longer


def compare_features(
    bins: Mapping[str, Any],
    columns: Mapping[str, np.ndarray],
    features: Sequence[Feature],
    shares: Mapping[str, float],
) -> list[FeatureDrift]:
    """Every feature beside its bins of training; those that were not stored are left out.

    Args:
        bins: what `build_bins` gave.
        columns: the features of a list, one row a lead.
        features: what the columns hold.
        shares: how much of the score rests on each feature; empty if that is not known.
    """
    drifts = []
    for feature in features:
        before = bins["features"].get(feature.name)
        if before is None:
            continue
        values = columns[feature.name]
        compare = _compare_category if feature.is_category else _compare_number
        drift = compare(feature.name, before, values, bins["leads"])
        known = {"share": shares.get(feature.name)}
        if feature.unit in GROWS:
            known["outside"] = None
        drifts.append(drift.model_copy(update=known))
    return drifts


def _compare_number(
    name: str,
    before: Mapping[str, Any],
    values: np.ndarray,
    leads: float,
) -> FeatureDrift:
    is_known = np.isfinite(values)
    missing = float((~is_known).mean())
    known = values[is_known]
    at = np.searchsorted(before["edges"], known, side="right")
    counts = np.bincount(at, minlength=len(before["shares"]))
    shares = counts / len(values)
    expected = np.array([*before["shares"], before["missing"]])
    actual = np.array([*shares, missing])
    psi, p_value = compute_psi(expected, actual, before=leads, now=len(values))

    outside = None
    if before["low"] is not None and len(known):
        is_below = known < before["low"]
        is_above = known > before["high"]
        outside = float((is_below | is_above).mean())
    return FeatureDrift(
        feature=name,
        psi=psi,
        p_value=p_value,
        missing=missing,
        missing_before=before["missing"],
        outside=outside,
    )


def _compare_category(
    name: str,
    before: Mapping[str, Any],
    values: np.ndarray,
    leads: float,
) -> FeatureDrift:
    texts = [None if value is None else str(value) for value in values]
    named = before["values"]
    n = len(texts)
    missing = texts.count(None) / n
    counts = [texts.count(value) / n for value in named]
    other = max(1.0 - missing - sum(counts), 0.0)
    expected = np.array([*named.values(), before["other"], before["missing"]])
    actual = np.array([*counts, other, missing])
    psi, p_value = compute_psi(expected, actual, before=leads, now=n)
    return FeatureDrift(
        feature=name,
        psi=psi,
        p_value=p_value,
        missing=missing,
        missing_before=before["missing"],
        new=max(other - before["other"], 0.0),
    )
