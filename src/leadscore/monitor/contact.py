"""What contacting a lead of a low tier adds, from those that were drawn by lot alone."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
import pandas as pd

from leadscore.monitor.settle import SETTLED
from leadscore.results import Interval
from leadscore.results.contact import ExtraContact

Z = 1.96  # of a 95% interval
PRECISE = 0.05  # half the width of an interval that is narrow enough to act on


def estimate_extra_contact(rows: pd.DataFrame, *, routed: Collection[str]) -> ExtraContact | None:
    """The win rate of explored leads less that of the others in their tiers; None without any.

    Who is explored is drawn by lot, so nothing else tells the two apart. A lead counts at its first
    list in these tiers, and as drawn or not by that list. The interval is that of Agresti and Caffo
    (2000): one more lead won and one more lost on either side.

    Args:
        rows: what `settle` gave, with `tier` and `exploration_probability`.
        routed: the tiers whose leads are all given to reps.
    """
    is_settled = rows["state"] == SETTLED
    is_low = ~rows["tier"].isin(list(routed))
    by_date = rows[is_settled & is_low].sort_values("as_of_us", kind="stable")
    first = by_date.drop_duplicates("lead_id")
    is_explored = first["exploration_probability"].notna()
    explored = first[is_explored]
    others = first[~is_explored]
    if explored.empty or others.empty:
        return None

    rate, variance = _rate(explored)
    rate_of_others, variance_of_others = _rate(others)
    half = Z * math.sqrt(variance + variance_of_others)
    effect = rate - rate_of_others
    is_known = half <= PRECISE
    return ExtraContact(
        explored=len(explored),
        others=len(others),
        effect=Interval(value=effect, low=effect - half, high=effect + half),
        known=is_known,
        more=0 if is_known else _count_missing(len(explored), variance, variance_of_others),
    )


def _rate(rows: pd.DataFrame) -> tuple[float, float]:
    """The weighted win rate, and the variance that it has with one more lead of either outcome."""
    weight = rows["weight"].to_numpy(dtype=float)
    rate = float(np.average(rows["label"], weights=weight))
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    with_two_more = effective + 2
    shrunk = (rate * effective + 1) / with_two_more
    variance = shrunk * (1 - shrunk) / with_two_more
    return rate, variance


def _count_missing(explored: int, variance: float, variance_of_others: float) -> int:
    """How many more explored leads make the interval narrow enough, others growing with them."""
    needed = (variance + variance_of_others) / (PRECISE / Z) ** 2
    return math.ceil(explored * (needed - 1))
