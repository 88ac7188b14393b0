"""The horizon that a company's wins call for, where the settings leave it open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leadscore.evaluation.curves import compute_days_to_win
from leadscore.history.split import History
from leadscore.times import DAY_US

WITHOUT_WINS = 30  # days, until there is a win to go by


def choose_horizon(history: History, *, known_us: int) -> tuple[History, str | None]:
    """The history with its horizon settled, and why; None if the settings state the horizon.

    With `horizon_days = "auto"` it is the number of days within which 90% of the wins known at
    `known_us` had come.
    """
    settings = history.settings
    if settings.target.horizon_days or not settings.is_dated:
        return history, None

    days_to_win = compute_days_to_win(history.spells(known_us), known_us).nine_tenths
    if days_to_win is None:
        days = WITHOUT_WINS
        why = "no win has been seen yet"
    else:
        days = max(int(np.ceil(days_to_win)), 1)
        why = f"90% of wins arrive within {days} days"

    target = settings.target.model_copy(update={"horizon_days": days})
    changed = settings.model_copy(update={"target": target})
    return replace(history, settings=changed), why


def choose_first_horizon(
    history: History,
    *,
    from_us: int | None,
) -> tuple[History, int | None, str | None]:
    """The history with the horizon of a whole back-test, the first date, and why, as above.

    One horizon for all dates, so that they can be pooled, and no fact from after the first of them.
    Without `from_us` the first date is twice the horizon after the first lead. A later date may
    have seen longer waits, and so call for a longer horizon and a still later date, until both
    agree.
    """
    settings = history.settings
    if settings.target.horizon_days or not settings.is_dated:
        return history, from_us, None

    first_us = history.version.first_us
    at = from_us if from_us is not None else first_us + 2 * WITHOUT_WINS * DAY_US
    while True:
        chosen, why = choose_horizon(history, known_us=at)
        needed = first_us + 2 * chosen.settings.target.horizon_days * DAY_US
        is_settled = needed <= at or at >= history.version.known_until_us
        if from_us is not None or is_settled:
            return chosen, at, f"{why}, by what was known at {history.name(at)}"
        at = needed
