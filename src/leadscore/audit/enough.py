"""How much a history that began at a moment has seen, what it missed, and when it will be enough."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from leadscore.times import DAY_US, FOREVER_US

RATE_DAYS = 365  # the present rate is that of the last year, or of all time if that is shorter


@dataclass(frozen=True)
class Outcomes:
    """How many leads had which outcome."""

    won: int
    not_won: int


@dataclass(frozen=True)
class Seen:
    """A history beside the leads.

    Attributes:
        listed: leads that were open at some time since it began.
        labelled: of these, the leads with an outcome to learn from. A lead that is won only after
            a horizon counts twice: it has snapshots of both kinds.
        closed_before: leads that had closed for the last time when it began.
        created_before: leads that were open then, and had been for some time.
        enough_us: from when it will be enough to learn from; None if no date can be given.
        is_enough: whether it is by now.
    """

    listed: int
    labelled: Outcomes
    closed_before: Outcomes
    created_before: int
    enough_us: int | None
    is_enough: bool


def judge_history(
    spells: pd.DataFrame,
    *,
    since_us: int,
    known_us: int,
    horizon_us: int,
    least: int,
) -> Seen:
    """What a history that began at `since_us` has seen of the spells that are known at `known_us`.

    It is enough once `least` leads that were open since it began were won, and as many were not won
    within the horizon; at the earliest one horizon after it began. The missing ones are expected at
    the rate of the last year.

    Args:
        spells: as `build_spells` gives them.
        since_us: when the history began.
        known_us: up to when outcomes are known.
        horizon_us: the horizon.
        least: how many leads of either outcome it takes.
    """
    is_listed = spells["close_us"] > since_us
    listed = spells[is_listed]
    labelled = _count_labelled(listed, since_us, known_us, horizon_us)
    was_open = listed["start_us"] < since_us

    enough_us = None
    wait_us = _expect_wait(spells, labelled, known_us, horizon_us, least=least)
    if wait_us is not None:
        rest_of_horizon_us = max(since_us + horizon_us - known_us, 0)
        enough_us = known_us + wait_us + rest_of_horizon_us
    return Seen(
        listed=listed["lead_id"].nunique(),
        labelled=labelled,
        closed_before=_count_closed(spells, since_us),
        created_before=listed["lead_id"][was_open].nunique(),
        enough_us=enough_us,
        is_enough=enough_us is not None and enough_us <= known_us,
    )


def _count_labelled(
    listed: pd.DataFrame,
    since_us: int,
    known_us: int,
    horizon_us: int,
) -> Outcomes:
    """The leads with a won snapshot since a moment, and those with one that was not won in time."""
    start_us = listed["start_us"].clip(lower=since_us)
    is_closed = listed["close_us"] < FOREVER_US
    followed_us = listed["close_us"].clip(upper=known_us) - start_us
    is_late = followed_us >= horizon_us
    is_lost = is_closed & ~listed["won"]
    lead_id = listed["lead_id"]
    won = lead_id[listed["won"]]
    not_won = lead_id[is_lost | is_late]
    return Outcomes(won.nunique(), not_won.nunique())


def _count_closed(spells: pd.DataFrame, by_us: int) -> Outcomes:
    """The leads whose last spell was closed by a moment."""
    last = spells.groupby("lead_id")[["close_us", "won"]].last()
    won = last["won"][last["close_us"] <= by_us]
    return Outcomes(int(won.sum()), int((~won).sum()))


def _count_between(spells: pd.DataFrame, from_us: int, to_us: int, horizon_us: int) -> Outcomes:
    """How many spells were won, and how many came to be not won in time, between two moments."""
    close_us = spells["close_us"]
    late_us = spells["start_us"] + horizon_us
    is_won = spells["won"]
    is_in_time = close_us <= late_us
    closes_then = close_us.between(from_us, to_us, inclusive="right")
    gets_late_then = late_us.between(from_us, to_us, inclusive="right")
    is_lost_then = closes_then & is_in_time & ~is_won
    is_late_then = gets_late_then & ~is_in_time
    won = (closes_then & is_won).sum()
    not_won = (is_lost_then | is_late_then).sum()
    return Outcomes(int(won), int(not_won))


def _expect_wait(
    spells: pd.DataFrame,
    labelled: Outcomes,
    known_us: int,
    horizon_us: int,
    *,
    least: int,
) -> int | None:
    """How long until both outcomes are there, at the rate of the last year; None without a rate."""
    first_us = int(spells["start_us"].min()) if len(spells) else known_us
    from_us = max(first_us, known_us - RATE_DAYS * DAY_US)
    lately = _count_between(spells, from_us, known_us, horizon_us)
    return _wait(labelled, lately, least=least, window_us=known_us - from_us)


def _wait(labelled: Outcomes, lately: Outcomes, *, least: int, window_us: int) -> int | None:
    """How long until both outcomes are there, at the present rate; None if there is no rate."""
    longest = 0
    rates = ((labelled.won, lately.won), (labelled.not_won, lately.not_won))
    for have, rate in rates:
        missing = least - have
        if missing <= 0:
            continue
        if not rate:
            return None
        wait_us = round(missing * window_us / rate)
        longest = max(longest, wait_us)
    return longest
