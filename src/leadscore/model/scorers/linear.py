"""Terms of the linear scorers: what a column adds to the log-odds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from leadscore.features.feature import Feature

# Units without long tails. A category is encoded as log-odds by then.
PLAIN = {"share", "flag", "category"}
OF_LINES = {"log", "low", "high", "center", "slope"}


@dataclass(frozen=True)
class Term:
    """What a column adds to the log-odds; `apply.contribute` reads it as JSON.

    A line adds slope * (shape(value) - center), where shape clips to [low, high] and, with `log`,
    takes sign(x) log(1 + |x|). With `knots` the term adds `added`, interpolated linearly; with
    `levels` what the level adds, `other` for a level that is not listed. An unknown value adds
    `missing`.
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
        """The term without what its kind does not use."""
        is_line = not self.knots and self.levels is None
        stated = asdict(self)
        values = {name: value for name, value in stated.items() if value is not None}
        if is_line:
            return values
        return {name: value for name, value in values.items() if name not in OF_LINES}


def is_log(feature: Feature) -> bool:
    """Whether a feature has long tails that would dominate a linear model."""
    return feature.unit not in PLAIN


def as_scorer(kind: str, intercept: float, terms: list[Term]) -> dict[str, Any]:
    """A linear scorer as JSON, with a term for each column in the encoder's order."""
    return {
        "kind": kind,
        "base": intercept,
        "terms": [term.as_json() for term in terms],
    }
