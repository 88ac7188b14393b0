"""Times that only the settings can name: days of a spreadsheet, seconds since 1970, or a pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.words import to_mask
from leadscore.times import DAY_US, SECOND_US

DAY_0_US = -25_569 * DAY_US  # 1899-12-30, from which spreadsheets count days
DAYS = r"\A\d{1,6}(?:[.,]\d+)?\z"
COUNT = r"\A-?\d{1,16}(?:[.,]\d{1,9})?\z"
UNITS_US = {"epoch_s": SECOND_US, "epoch_ms": 1000, "epoch_us": 1, "epoch_ns": 1}
NANOSECONDS = r"\A(-?\d+)\d{3}(?:[.,]\d+)?\z"  # without the last digits they are microseconds
MOST_US = 2**62
FIRST_WEEKS_US = 2**32 * 1000  # of 1970: seconds that are taken for milliseconds lie there
MILLISECONDS = r"\A1\d{12}\z"  # from 2001 to 2033: a number of 13 digits means nothing else

HAS_TIME = re.compile(r"%(?:H|I|s|c|X|T|R)")
HAS_ZONE = re.compile(r"%z")


@dataclass(frozen=True)
class StatedTimes:
    """Distinct texts (n,) in microseconds: of UTC, or `is_local`; which are times, which dates."""

    us: np.ndarray
    ok: np.ndarray
    is_date: np.ndarray
    is_local: bool


def read_days(words: pa.Array) -> StatedTimes:
    """Days since 1899-12-30, to the second; a whole number is a date."""
    ok = to_mask(pc.match_substring_regex(words, DAYS))
    read_words = pc.if_else(pa.array(ok), words, "0")
    numbers = pc.replace_substring(read_words, ",", ".")
    days = numbers.cast(pa.float64()).to_numpy()
    seconds = np.rint(days * 86_400).astype(np.int64)
    us = DAY_0_US + seconds * SECOND_US
    is_date = ok & (days % 1 == 0)
    return StatedTimes(us, ok, is_date, is_local=True)


def read_counts(words: pa.Array, unit: str) -> StatedTimes:
    """Seconds or parts of them since 1970 in UTC; `unit` as in `UNITS_US`.

    What would lie in the first seven weeks of 1970 is no time: it counts a larger unit, or is a 0
    that stands for nothing.
    """
    if unit == "epoch_ns":
        words = pc.replace_substring_regex(words, NANOSECONDS, r"\1")
    ok = to_mask(pc.match_substring_regex(words, COUNT))
    counts = pc.if_else(pa.array(ok), words, "0")
    numbers = pc.replace_substring(counts, ",", ".")
    without_fraction = pc.replace_substring_regex(numbers, r"\..*", "")
    whole = without_fraction.cast(pa.int64()).to_numpy()
    part = pc.replace_substring_regex(numbers, r"\A(-?)\d+", r"\10")  # RE2: group 1, then a 0
    fraction = part.cast(pa.float64()).to_numpy()

    factor = UNITS_US[unit]
    ok &= np.abs(whole) < MOST_US // factor
    fraction_us = np.rint(fraction * factor).astype(np.int64)
    us = np.where(ok, whole, 0) * factor + fraction_us
    ok &= (us < 0) | (us >= FIRST_WEEKS_US)
    is_date = np.zeros(len(ok), dtype=bool)
    return StatedTimes(us, ok, is_date, is_local=False)


def read_pattern(words: pa.Array, pattern: str) -> StatedTimes:
    """Texts in the form of a pattern of `strptime`; local unless it has %z."""
    texts = words.to_numpy(zero_copy_only=False)
    stamps = pd.to_datetime(texts, format=pattern, utc=True, errors="coerce", cache=False)
    ok = np.asarray(stamps.notna())
    stamps_us = stamps.as_unit("us").asi8
    us = np.where(ok, stamps_us, 0)
    has_no_time = not HAS_TIME.search(pattern)
    is_local = not HAS_ZONE.search(pattern)
    return StatedTimes(us, ok, ok & has_no_time, is_local)
