"""Shapes of features for the linear scorers: what a unit's values look like on the scale that a slope multiplies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from leadscore.features.feature import Feature

PLAIN = {
    "share",
    "flag",
    "category",
}  # a category is already encoded as log-odds; all other units have long tails


@dataclass(frozen=True)
class Term:
    """What a column adds to the log-odds; `apply.contribute` reads it as JSON.

    A line adds slope * (shape(value) - center), where shape clips to [low, high] and, with `log`, takes
    sign(x) log(1 + |x|). With `knots` it is `added`, joined by straight lines; with `levels` what the value's level
    adds, `other` for one that is not listed. An unknown value adds `missing`.
    """

    name: str
    log: bool
    low: float = 0.0
    high: float = 0.0
    center: float = 0.0
    slope: float = 0.0
    missing: float = 0.0
    knots: tuple[float, ...] | None = None
    added: tuple[float, ...] | None = None
    levels: Mapping[str, float] | None = None
    other: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The term without what its way does not use."""
        line = {"log", "low", "high", "center", "slope"}
        unused = line if self.knots or self.levels is not None else set()
        return {
            name: value
            for name, value in asdict(self).items()
            if value is not None and name not in unused
        }


def is_log(feature: Feature) -> bool:
    """Whether a feature's values have long tails that would rule a linear model."""
    return feature.unit not in PLAIN


def as_scorer(kind: str, base: float, terms: list[Term]) -> dict[str, Any]:
    """A linear scorer as JSON, a term for each column in the encoder's order."""
    return {"kind": kind, "base": base, "terms": [term.as_json() for term in terms]}


def log_odds_of(probability: float) -> float:
    """log(p / (1 - p))."""
    return float(np.log(probability / (1 - probability)))
