"""How soon new leads are contacted, and how that goes with winning."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.funnel.competing import (
    HOURS,
    Shares,
    count_ends,
    estimate_shares,
    in_days,
    quantile_hours,
    share_within,
)
from leadscore.funnel.landmark import FROM_DAY, list_followed, list_new, share_won
from leadscore.funnel.spells import count_endings
from leadscore.history.visits import HOUR_US, Span
from leadscore.results.base import Interval
from leadscore.results.losses import ContactBand, ContactTimes

DAYS = (1, 3, FROM_DAY)
NAMES = ("within 1 day", "after 1 to 3 days", f"after 3 to {FROM_DAY} days")
NOT_YET = f"not within {FROM_DAY} days"


def describe_contact(
    spells: pd.DataFrame,
    first_worked: pd.Series[int],
    span: Span,
    *,
    within_days: float,
) -> ContactTimes | None:
    """Time to first contact of the leads of a period; None if no lead came in or was contacted.

    Args:
        spells: as `list_endings` returns them.
        first_worked: when a rep first did something, by lead_id.
        span: in which leads came in.
        within_days: after day `FROM_DAY`, in which wins count.
    """
    new = list_new(spells, span)
    waits = _hours_until(new, first_worked)
    is_contacted = (waits <= new["hours"]).to_numpy()
    if not is_contacted.any():
        return None

    ends = count_ends(
        np.where(is_contacted, waits, new["hours"]).astype(np.int64),
        np.where(is_contacted, "contacted", new["ending"]),
        names=("contacted", "won", "lost"),
    )
    shares = estimate_shares(ends)
    followed = list_followed(spells, span)
    return ContactTimes(
        leads=len(new),
        median_days=in_days(quantile_hours(shares, 0.5, way="contacted")),
        contacted={str(days): _share_contacted(shares, days) for days in DAYS},
        compared=len(followed),
        from_day=FROM_DAY,
        within_days=within_days,
        bands=_describe_bands(followed, first_worked, within_days * HOURS),
    )


def _share_contacted(shares: Shares, days: int) -> Interval:
    """The share contacted within so many days, up to the last whole hour before."""
    return share_within(shares, "contacted", days * HOURS - 1)


def _hours_until(leads: pd.DataFrame, first_worked: pd.Series[int]) -> pd.Series[float]:
    """The whole hours from when each lead came in until it was first contacted; nan if never."""
    worked_us = leads["lead_id"].map(first_worked).astype(float)  # text where there is no lead
    waited_us = worked_us - leads["start_us"]
    hours: pd.Series[float] = (waited_us.clip(lower=0) // HOUR_US).astype(float)
    return hours


def _describe_bands(
    followed: pd.DataFrame,
    first_worked: pd.Series[int],
    hours: float,
) -> list[ContactBand]:
    waits = _hours_until(followed, first_worked)
    edges = [day * HOURS for day in DAYS]
    place = np.searchsorted(edges, waits.fillna(np.inf), side="right")
    bands = []
    for at, name in enumerate((*NAMES, NOT_YET)):
        leads = followed[place == at]
        if len(leads):
            bands.append(
                ContactBand(
                    first_contact=name,
                    leads=len(leads),
                    won=share_won(count_endings(leads), hours),
                )
            )
    return bands
