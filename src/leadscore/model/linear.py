"""Shapes of features for the linear scorers: what a unit's values look like on the scale that a slope multiplies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from leadscore.features.feature import Feature

PLAIN = {"share", "flag", "category"}  # a category is already encoded as log-odds; all other units have long tails


@dataclass(frozen=True)
class Term:
    """What a column adds to raw: slope * (shape(value) - center), or `missing` where the value is unknown.

    shape clips to [low, high] and, with `log`, takes sign(x) log(1 + |x|). `apply.contribute` reads it as JSON.
    """

    name: str
    log: bool
    low: float
    high: float
    center: float = 0.0
    slope: float = 0.0
    missing: float = 0.0


def is_log(feature: Feature) -> bool:
    """Whether a feature's values have long tails that would rule a linear model."""
    return feature.unit not in PLAIN


def as_scorer(kind: str, base: float, terms: list[Term]) -> dict[str, Any]:
    """A linear scorer as JSON, a term for each column in the encoder's order."""
    return {"kind": kind, "base": base, "terms": [asdict(term) for term in terms]}


def log_odds(probability: float) -> float:
    """log(p / (1 - p))."""
    return float(np.log(probability / (1 - probability)))
