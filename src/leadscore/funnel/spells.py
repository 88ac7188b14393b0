"""How spells of leads ended, from coming in or being re-opened until the close."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.funnel.competing import (
    HOURS,
    UNKNOWN,
    Ends,
    count_ends,
    estimate_shares,
    share_or_wilson,
)
from leadscore.history.absences import seen_until
from leadscore.history.visits import HOUR_US
from leadscore.results.base import Interval
from leadscore.times import DAY_US

OUTCOMES = ("won", "lost")


def list_endings(spells: pd.DataFrame, *, known_us: int) -> pd.DataFrame:
    """Spells with how each had ended (won, lost or open), and after how many whole hours.

    Columns beside those of `spells`: ending, hours; of open ones until they were last seen.

    Args:
        spells: as known at a moment.
        known_us: the moment.
    """
    close_us = spells["close_us"].to_numpy()
    until_us = np.minimum(close_us, seen_until(spells, known_us))
    lasted_us = np.maximum(until_us - spells["start_us"].to_numpy(), 0)
    closed_as = np.where(spells["won"], "won", "lost")
    ending = np.where(close_us < known_us, closed_as, "open")
    return spells.assign(ending=ending, hours=lasted_us // HOUR_US)


def count_endings(spells: pd.DataFrame) -> Ends:
    """Spells, as `list_endings` returns them, as counts over time."""
    return count_ends(
        spells["hours"].to_numpy(),
        spells["ending"].to_numpy(),
        names=OUTCOMES,
    )


def share_of_leads(spells: pd.DataFrame, way: str, days: float, *, known_us: int) -> Interval:
    """The share won or lost within so many days, with its 95% interval.

    Its value is None until half of the leads came in so many days ago: before, it would rest on the
    oldest few. Where none or all ended so, its interval is Wilson's: the delta method's would have
    no width.

    Args:
        spells: as `list_endings` returns them, at least one.
        way: "won" or "lost".
        days: since the lead came in or was re-opened.
        known_us: the moment by which the spells are known.
    """
    watched_us = known_us - int(spells["start_us"].median())
    if watched_us < days * DAY_US:
        return UNKNOWN
    ends = count_endings(spells)
    return share_or_wilson(ends, estimate_shares(ends), way, days * HOURS)
