"""Working time: the scale on which everything in the sample company is a Poisson process.

tau, in working days, grows from 08:00 to 18:00 UTC and stands still at night. It grows slowly at
weekends, in August and around the new year, and faster at the end of a quarter.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from leadscore.sample.world import START, START_S, UNTIL_S, Array

DAYS = 12_000  # enough for all that happens after UNTIL
OPENS_S = 8 * 3600
CLOSES_S = 18 * 3600


def to_tau(seconds: Array) -> Array:
    """The working time of UTC seconds."""
    return np.asarray(np.interp(seconds, *_knots()))


def to_seconds(tau: Array) -> Array:
    """The whole UTC second of a working time."""
    seconds, knots = _knots()
    exact = np.interp(tau, knots, seconds)
    whole = np.floor(exact + 1e-3)
    return np.asarray(whole.astype(np.int64))


def to_whole_seconds(tau: Array) -> tuple[Array, Array]:
    """The whole second that an export shows for a working time, and the working time of that."""
    seconds = to_seconds(tau)
    return seconds, to_tau(seconds)


def to_moments(seconds: Array) -> pa.Array:
    """UTC seconds as timestamps."""
    moments = seconds.astype("datetime64[s]")
    return pa.array(moments, pa.timestamp("s", tz="UTC"))


@cache
def _knots() -> tuple[Array, Array]:
    """(UTC seconds, tau) at the begin and end of each working day; between them tau is linear."""
    days = np.arange(START, START + DAYS)
    after = np.cumsum(_speeds(days))
    before = np.append(0, after[:-1])  # so that a night is one tau, to the last bit

    midnight = days.astype("datetime64[s]").astype(np.int64)
    opens = midnight + OPENS_S
    closes = midnight + CLOSES_S
    seconds = np.column_stack([opens, closes]).ravel()
    tau = np.column_stack([before, after]).ravel()
    return seconds.astype(np.float64), tau


def _speeds(days: Array) -> Array:
    """How much working time passes on each day."""
    weekday = (days.astype(int) + 3) % 7  # 0 is Monday
    speed = np.where(weekday >= 5, 0.10, 1.0)

    month_start = days.astype("datetime64[M]")
    month = month_start.astype(int) % 12 + 1
    speed = speed * np.where(month == 8, 0.75, 1.0)

    new_year = days.astype("datetime64[Y]")
    day_of_year = (days - new_year).astype(int)
    around_new_year = (day_of_year >= 355) | (day_of_year < 3)
    speed = speed * np.where(around_new_year, 0.4, 1.0)

    next_month = (month_start + 1).astype("datetime64[D]")
    last_ten_days = days + 10 >= next_month
    quarter_end = last_ten_days & (month % 3 == 0)
    return np.asarray(speed * np.where(quarter_end, 1.15, 1.0))


START_TAU = float(to_tau(np.array(START_S)))
UNTIL_TAU = float(to_tau(np.array(UNTIL_S)))
