"""What became of the leads of each month."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from leadscore.funnel.spells import share_of_leads
from leadscore.results.funnel import Cohort
from leadscore.times import local_midnights

WITHIN_DAYS = (30, 60, 90)


def describe_cohorts(
    spells: pd.DataFrame,
    *,
    since_us: int,
    known_us: int,
    zone: str,
) -> list[Cohort]:
    """The months in their order, from the first that begins in the period.

    A lead belongs to the month in which it came in; a re-opening counts for none.

    Args:
        spells: as `list_endings` returns them.
        since_us: begin of the period.
        known_us: its end.
        zone: of the calendar.
    """
    first = spells[spells["spell"] == 1]
    starts = first["start_us"].to_numpy()
    edges = _month_edges(since_us, known_us, zone)
    places = np.searchsorted(edges, starts, side="right") - 1

    cohorts = []
    for place, begin_us in enumerate(edges):
        leads = first[places == place]
        if leads.empty:
            continue
        month = _local(begin_us, zone).strftime("%Y-%m")
        cohorts.append(_describe_cohort(month, leads, known_us))
    return cohorts


def _month_edges(since_us: int, known_us: int, zone: str) -> np.ndarray:
    """The moments (n,) at which months begin, rising."""
    midnights = local_midnights(since_us, known_us, zone=zone)
    edges = [us for day, us in midnights if _is_first_of_month(day)]
    return np.array(edges, dtype=np.int64)


def _is_first_of_month(day: int) -> bool:
    """Whether a day, counted from 1970-01-01, is the first of its month."""
    date = np.datetime64(day, "D")
    return bool(date == date.astype("datetime64[M]"))


def _local(moment_us: int, zone: str) -> pd.Timestamp:
    """A moment by the calendar of a zone."""
    moment = pd.Timestamp(moment_us, unit="us", tz="UTC")
    return moment.tz_convert(zone)


def _describe_cohort(month: str, leads: pd.DataFrame, known_us: int) -> Cohort:
    won_within = {}
    for days in WITHIN_DAYS:
        won = share_of_leads(leads, "won", days, known_us=known_us)
        won_within[str(days)] = won
    counts = Counter(leads["ending"])
    return Cohort(
        month=month,
        leads=len(leads),
        won=counts["won"],
        lost=counts["lost"],
        open=counts["open"],
        won_within=won_within,
    )
