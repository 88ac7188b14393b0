"""Lists of snapshots, and the survival of the censoring time worked out slowly."""

from fractions import Fraction

import pandas as pd
from hypothesis import settings

from builders import day
from leadscore.history.snapshot import KEYS
from leadscore.settings.target import Target

HORIZON = 30
WIDE = Target(horizon_days=HORIZON, weight_cap=100)  # a cap that no weight below reaches


def list_of(*asked: tuple[str, float]) -> pd.DataFrame:
    """Snapshots of first spells from (lead, as_of), in days."""
    rows = pd.DataFrame([(lead, 1, day(at), day(at)) for lead, at in asked], columns=KEYS)
    return rows.assign(grid_weight=1.0, young=False)


def survival_by_hand(
    x: list[int], censored: list[bool], weight: list[Fraction], *, before: float
) -> Fraction:
    """The slow and obvious product over the times at which somebody dropped out."""
    left = Fraction(1)
    for t in sorted({xi for xi, ci in zip(x, censored, strict=True) if ci and xi < before}):
        rows = list(zip(x, censored, weight, strict=True))
        dropped = sum(w for xi, ci, w in rows if ci and xi == t)
        watched_on = sum(
            w for xi, ci, w in rows if xi > t
        )  # whose outcome came at t itself could not drop out then
        left *= 1 - Fraction(dropped) / (dropped + watched_on)
    return left


GRID_WEIGHTS = [Fraction(1), Fraction(7, 6), Fraction(2), Fraction(7, 2)]
quick = settings(derandomize=True, deadline=None, max_examples=100)
