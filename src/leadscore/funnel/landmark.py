"""Leads that were still open some days after they came in, followed from then on.

Whoever was contacted late, or shows an interest late, must have stayed open until then. Compared
from the day they came in, such leads would seem to win more often for that reason alone. So all are
compared from the same day on, by what was known then (landmark analysis; Anderson, Cain and Gelber
1983).
"""

from __future__ import annotations

import pandas as pd

from leadscore.funnel.competing import HOURS, UNKNOWN, Ends, estimate_shares, share_or_wilson
from leadscore.history.visits import Span
from leadscore.results.base import Interval
from leadscore.times import DAY_US

FROM_DAY = 7


def list_followed(spells: pd.DataFrame, span: Span) -> pd.DataFrame:
    """The leads of a period that were open on day `FROM_DAY`; their hours count from then.

    Columns beside those of `spells`: from_us, when that day began.

    Args:
        spells: as `list_endings` returns them.
        span: in which leads came in; a re-opening counts for none.
    """
    new = list_new(spells, span)
    hours_before = int(FROM_DAY * HOURS)
    is_followed = new["hours"] >= hours_before
    followed = new[is_followed]
    return followed.assign(
        from_us=followed["start_us"] + FROM_DAY * DAY_US,
        hours=followed["hours"] - hours_before,
    )


def list_new(spells: pd.DataFrame, span: Span) -> pd.DataFrame:
    """The spells of leads that came in during a period; a re-opening counts for none."""
    is_first = spells["spell"] == 1
    is_inside = spells["start_us"] >= span.since_us
    return spells[is_first & is_inside]


def share_won(ends: Ends, hours: float) -> Interval:
    """The share won within so many hours; its value is None if too few were followed so long."""
    last = ends.last_with_enough()
    if last is None or last < hours:
        return UNKNOWN
    shares = estimate_shares(ends)
    return share_or_wilson(ends, shares, "won", hours)
