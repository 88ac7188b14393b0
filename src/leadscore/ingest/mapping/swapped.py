"""Notices dates in which a spreadsheet swapped day and month wherever it could.

A spreadsheet set to another country reads 05/01/2026 as the first of May and stores a true date;
24/05/2025 it cannot read, and leaves it as text. Afterwards no true date lies after the 12th of a
month, and every text does.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.date_questions import LOCAL
from leadscore.ingest.mapping.moments import ISO

ISO_PARTS = r"\A(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
# Of a text, the first number is taken for the month, as the spreadsheet took it.
LOCAL_PARTS = r"\A(?P<month>\d\d?)[./-](?P<day>\d\d?)[./-](?P<year>\d{4}|\d\d)"

EARLY = log(12 / 30.44)  # of the chance that a day lies from the 1st to the 12th
LATE = log(1 - 12 / 30.44)
CHANCE = log(1e-4)  # honest columns look swapped less often than once in 10,000
LEAST_MONTHS = 2  # on both sides: a change of format in the middle of one month is no swap


@dataclass(frozen=True)
class Swapped:
    """How many true dates a column has, none after the 12th, and how many texts, all after it.

    `true_date` and `text` are an example of both.
    """

    true_dates: int
    texts: int
    true_date: str
    text: str


@dataclass(frozen=True)
class _Dates:
    """The dates of a column in one spelling: `rows` have one, and the first is `example`.

    `keys` are the distinct dates as yyyymmdd; they need not be in the calendar.
    """

    rows: int
    example: str
    keys: np.ndarray

    @property
    def days(self) -> np.ndarray:
        return self.keys % 100

    @property
    def months(self) -> np.ndarray:
        return self.keys // 100 % 100


def find_swapped_dates(text: pa.Array) -> Swapped | None:
    """Evidence that day and month of a column (n,) were swapped where possible, or None.

    Honest dates look so with probability (12/30.44)^a * (18.44/30.44)^b, for a distinct true dates
    and b distinct texts; above 1 in 10,000 it is taken for chance.
    """
    counted = text.value_counts()
    dates = _read_dates(counted, shape=ISO, parts=ISO_PARTS)
    texts = _read_dates(counted, shape=LOCAL, parts=LOCAL_PARTS)
    if dates is None or texts is None:
        return None

    is_ambiguous = dates.days.max() <= 12
    if not is_ambiguous or not _has_one_order(texts).all():
        return None
    months_of_dates = _count_months(dates.keys)
    if min(months_of_dates, _count_months(_in_order(texts))) < LEAST_MONTHS:
        return None
    chance = len(dates.keys) * EARLY + len(texts.keys) * LATE
    if chance > CHANCE:
        return None
    return Swapped(dates.rows, texts.rows, dates.example, texts.example)


def _read_dates(counted: pa.StructArray, *, shape: str, parts: str) -> _Dates | None:
    """The dates of that shape among a column's distinct values and their counts, or None."""
    values, counts = counted.flatten()
    matches = pc.match_substring_regex(values, shape)
    values = values.filter(matches)
    if not len(values):
        return None

    texts = pc.extract_regex(values, parts)
    year, month, day = (_read_part(texts, name) for name in ("year", "month", "day"))
    rows = pc.sum(counts.filter(matches)).as_py()
    keys = year * 10_000 + month * 100 + day
    return _Dates(rows, values[0].as_py(), np.unique(keys))


def _read_part(texts: pa.StructArray, name: str) -> np.ndarray:
    """The numbers (n,) of one part of dates."""
    numbers = texts.field(name).cast(pa.int64())
    return np.asarray(numbers.to_numpy())


def _has_one_order(texts: _Dates) -> np.ndarray:
    """Which texts can be read in one order only, because one of the numbers is no month."""
    is_day_first = texts.months > 12
    return np.asarray(is_day_first ^ (texts.days > 12))


def _in_order(texts: _Dates) -> np.ndarray:
    """The same dates, with the number that can be a month as the month."""
    year = texts.keys // 10_000
    swapped = year * 10_000 + texts.days * 100 + texts.months
    return np.where(texts.months > 12, swapped, texts.keys)


def _count_months(keys: np.ndarray) -> int:
    return len(np.unique(keys // 100))
