"""How well probabilities held: predicted against actual win rate, placed on a square of 100 by 100."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadscore.results import Bin


@dataclass(frozen=True)
class PlacedBin:
    """A group of leads of about the same probability; all numbers in percent."""

    predicted: float
    won: float
    low: float
    high: float
    leads: int


def place_bins(bins: Sequence[Bin]) -> list[PlacedBin]:
    """The bins of an evaluation in percent; without an interval both bounds are the rate itself."""
    placed = []
    for part in bins:
        low = part.win_rate if part.low is None else part.low
        high = part.win_rate if part.high is None else part.high
        placed.append(
            PlacedBin(
                predicted=round(100 * part.mean_probability, 1),
                won=round(100 * part.win_rate, 1),
                low=round(100 * low, 1),
                high=round(100 * high, 1),
                leads=part.leads,
            )
        )
    return placed
