"""The horizon that the wins of a company ask for, where the settings leave it open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leadscore.evaluation.curves import compute_days_to_win
from leadscore.history.split import History
from leadscore.times import DAY_US

WITHOUT_WINS = 30  # days, until there is a win to go by


def choose_horizon(history: History, *, known_us: int) -> tuple[History, str | None]:
    """The history with its horizon settled by what was known at a moment, and why; None if the settings say it.

    With `horizon_days = "auto"` it is the number of days within which 90 % of the wins seen had come.
    """
    settings = history.settings
    if settings.target.horizon_days or not settings.is_dated:
        return history, None
    found = compute_days_to_win(history.spells(known_us), known_us)["nine_tenths"]
    days = WITHOUT_WINS if found is None else max(int(np.ceil(found)), 1)
    why = "no win has been seen yet" if found is None else f"90 % of wins arrive within {days} days"
    target = settings.target.model_copy(update={"horizon_days": days})
    return replace(history, settings=settings.model_copy(update={"target": target})), why


def choose_first_horizon(
    history: History, *, from_us: int | None
) -> tuple[History, int | None, str | None]:
    """The horizon of a back-test, settled by what was known at its first date; that date; and why, as above.

    One horizon for all dates, so that they can be pooled, and no fact from after the first of them. Without `from_us`
    the first date is twice the horizon after the first lead: a later date may have seen longer waits, and ask for a
    longer horizon, hence for a still later date, until both agree.
    """
    settings = history.settings
    if settings.target.horizon_days or not settings.is_dated:
        return history, from_us, None
    at = from_us if from_us is not None else history.version.first_us + 2 * WITHOUT_WINS * DAY_US
    while True:
        chosen, why = choose_horizon(history, known_us=at)
        needed = history.version.first_us + 2 * chosen.settings.target.horizon_days * DAY_US
        if from_us is not None or needed <= at or at >= history.version.known_until_us:
            return chosen, at, f"{why}, by what was known at {history.name(at)}"
        at = needed
