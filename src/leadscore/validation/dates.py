"""The dates of a back-test: evenly spread over the part of history that can be replayed."""

from __future__ import annotations

import numpy as np

from leadscore.errors import UserError
from leadscore.history.split import History
from leadscore.times import DAY_US, local_midnights

REPLAYED_SHARES = 0.4, 0.9  # of ordered leads, between which back-tests begin


def spread_dates(
    history: History,
    *,
    from_us: int | None,
    to_us: int | None,
    dates: int,
) -> list[int]:
    """Moments evenly spread over [from_us, to_us]: local midnights or, of ordered leads, places.

    By default from twice the horizon after the first lead, so that there is something to learn
    from, to a horizon before `known_until`, so that every date can be settled. Of ordered leads
    they are places with 40 to 90% of the closed leads before them.

    Raises:
        UserError: no date is asked for; or leads are not dated, and a date is given, or they are
            not even ordered.
    """
    if dates < 1:
        raise UserError(f"dates must be at least 1, got {dates}")
    if not history.settings.is_dated:
        has_limits = from_us is not None or to_us is not None
        return _spread_places(history, dates=dates, has_limits=has_limits)

    first, last = find_limits(history, from_us=from_us, to_us=to_us)
    zone = history.settings.timezone
    days = local_midnights(first, last + 1, zone=zone)
    midnights = [us for _, us in days]
    n = len(midnights)
    count = min(dates, n)
    spread = np.linspace(0, n - 1, count)
    positions = np.unique(spread.round().astype(int))
    return [midnights[i] for i in positions]


def find_limits(history: History, *, from_us: int | None, to_us: int | None) -> tuple[int, int]:
    """The first and the last moment for a back-test of dated leads: those given, or the defaults."""
    horizon_us = history.settings.target.horizon_days * DAY_US
    first = from_us if from_us is not None else history.version.first_us + 2 * horizon_us
    last = to_us if to_us is not None else history.version.known_until_us - horizon_us
    return first, last


def _spread_places(history: History, *, dates: int, has_limits: bool) -> list[int]:
    time = history.settings.time
    if time == "none":
        raise UserError(
            "time = none: the order of the leads is not known, so there is no past to replay; "
            "see `train`"
        )
    if has_limits:
        raise UserError(
            f"time = {time}: leads have places and no dates, so leave out --from and --to"
        )
    shares = np.linspace(*REPLAYED_SHARES, dates).tolist()
    return history.places(history.version.known_until_us, shares=shares)
