"""Whether enough new leads come in to keep the pipeline full."""

from __future__ import annotations

import math

import pandas as pd

from leadscore.funnel.competing import Z
from leadscore.results.funnel import PipelineHealth, Trend
from leadscore.times import DAY_US

DAYS = 28  # whole weeks, since weekends differ
LEAST = 30  # leads that came in or closed, for a verdict


def measure_health(spells: pd.DataFrame, *, known_us: int) -> PipelineHealth | None:
    """The leads that came in during the last four weeks beside those that closed; None if few did.

    Both are taken as Poisson counts: if as many came in as closed, their difference would be at most
    1.96 times the root of their sum in 95% of cases (Przyborowski and Wilenski 1940, for large
    counts).

    Args:
        spells: as `list_endings` returns them.
        known_us: the moment by which they are known.
    """
    since_us = known_us - DAYS * DAY_US
    opened = int((spells["start_us"] >= since_us).sum())
    is_closed = spells["ending"] != "open"
    closed = int((is_closed & (spells["close_us"] >= since_us)).sum())
    if opened + closed < LEAST:
        return None
    return PipelineHealth(
        days=DAYS,
        opened=opened,
        closed=closed,
        trend=_name_trend(opened, closed),
    )


def _name_trend(opened: int, closed: int) -> Trend:
    difference = opened - closed
    by_chance = Z * math.sqrt(opened + closed)
    if abs(difference) <= by_chance:
        return "steady"
    return "grows" if difference > 0 else "shrinks"
