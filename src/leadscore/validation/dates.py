"""The dates of a back-test: evenly spread over the part of history that can be replayed."""

from __future__ import annotations

import numpy as np

from leadscore.errors import AsOfError
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
    they are places with 40 to 90 % of the closed leads before them.

    Raises:
        AsOfError: leads are not dated, and a date is given, or they are not even ordered.
    """
    if not history.settings.is_dated:
        has_limits = from_us is not None or to_us is not None
        return _spread_places(history, dates=dates, has_limits=has_limits)

    horizon_us = history.settings.target.horizon_days * DAY_US
    first = from_us if from_us is not None else history.version.first_us + 2 * horizon_us
    last = to_us if to_us is not None else history.version.known_until_us - horizon_us
    zone = history.settings.timezone
    midnights = [us for _, us in local_midnights(first, last + 1, zone=zone)]
    spread = np.linspace(0, len(midnights) - 1, min(dates, len(midnights)))
    return [midnights[i] for i in np.unique(spread.round().astype(int))]


def _spread_places(history: History, *, dates: int, has_limits: bool) -> list[int]:
    time = history.settings.time
    if time == "none":
        raise AsOfError(
            "time = none: nothing says which leads came first, so there is no past to replay; "
            "see `train`"
        )
    if has_limits:
        raise AsOfError(
            f"time = {time}: leads have places and no dates, so leave out --from and --to"
        )
    shares = np.linspace(*REPLAYED_SHARES, dates).tolist()
    return history.places(history.version.known_until_us, shares=shares)
