"""What clocks of a zone show, as UTC."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from leadscore.times import EPOCH, SECOND_US, to_us

FIRST_YEAR = 1990
LAST_YEAR = 2040
GERMAN = {"CET": "MEZ", "CEST": "MESZ"}


def local_to_utc(us: np.ndarray, zone: str, *, first: bool = False) -> np.ndarray:
    """The moments (n,) at which clocks of a zone show these times; both in microseconds.

    Where clocks are set back and show a time twice, it is the later moment, or the `first`; where
    they are set forward and skip it, the moment of that change.
    """
    shown = pd.DatetimeIndex(us.view("datetime64[us]"))
    is_first = np.full(len(us), first)
    moments = shown.tz_localize(zone, ambiguous=is_first, nonexistent="NaT")

    utc = moments.asi8.copy()
    # pandas 3.1 can shift skipped times forward itself, but errs by up to an hour: in
    # Pacific/Chatham in 2024, and in half of all zones at some change since 1900.
    is_skipped = np.asarray(moments.isna())
    skipped = shown[is_skipped].to_pydatetime()
    ends = [_end_of_gap(time, ZoneInfo(zone)) for time in skipped]
    utc[is_skipped] = ends
    return utc


@lru_cache(maxsize=8)
def read_offsets(zone: str) -> dict[str, str]:
    """The abbreviations that a zone's clocks have used since 1990, such as CET -> "+0100".

    One that has had several offsets is left out.
    """
    offsets: dict[str, set[str]] = {}
    for year in range(FIRST_YEAR, LAST_YEAR):
        for month in (1, 7):
            moment = datetime(year, month, 1, tzinfo=ZoneInfo(zone))
            name = moment.tzname() or ""
            if name.isalpha():
                offsets.setdefault(name, set()).add(f"{moment:%z}")
    for name, german in GERMAN.items():
        if name in offsets:
            offsets[german] = offsets[name]
    return {name: min(known) for name, known in offsets.items() if len(known) == 1}


def _end_of_gap(skipped: datetime, tz: ZoneInfo) -> int:
    """The moment at which clocks were set forward past a time that they never showed."""
    before = skipped.replace(tzinfo=tz, fold=1)  # read with the offset after the change
    after = skipped.replace(tzinfo=tz, fold=0)
    first = to_us(before) // SECOND_US
    last = to_us(after) // SECOND_US
    seconds = range(first, last + 1)
    offset = before.utcoffset()

    def has_changed(second: int) -> bool:
        moment = EPOCH + timedelta(seconds=second)
        return moment.astimezone(tz).utcoffset() == offset

    return seconds[bisect_left(seconds, True, key=has_changed)] * SECOND_US
