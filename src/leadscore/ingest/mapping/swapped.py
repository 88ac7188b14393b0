"""Notices dates of which a spreadsheet has swapped day and month wherever it could.

A spreadsheet of another country reads 05/01/2026 as the first of May and stores a true date; 24/05/2025 it cannot
read, and leaves it as text. Afterwards no true date lies behind the 12th of a month, and every text does.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
import pyarrow as pa

from leadscore.ingest.mapping.moments import DAY_FIRST, ISO, number_at, texts_by_shape

EARLY = log(12 / 30.44)  # of the chance that a day lies from the 1st to the 12th
LATE = log(1 - 12 / 30.44)
CHANCE = log(1e-4)  # honest columns look swapped less often than once in 10,000
MONTHS = 2  # at least, on both sides: a change of format in the middle of one month is no swap


@dataclass(frozen=True)
class Swapped:
    """How many true dates a column has, none after the 12th, and how many texts, all after it; with one of each."""

    true_dates: int
    texts: int
    true_date: str
    text: str


def find_swapped_dates(text: pa.Array) -> Swapped | None:
    """What shows that day and month of a column (n,) were swapped where possible, or None.

    Honest dates look so with the chance (12/30.44)^a * (18.44/30.44)^b for a different true dates and b different
    texts; from 1 in 10,000 on it is taken for chance.
    """
    true_rows, true_keys = _read_dates(text, is_text=False)
    text_rows, text_keys = _read_dates(text, is_text=True)
    if not len(true_keys) or not len(text_keys):
        return None
    if _days(true_keys).max() > 12 or not _is_late(text_keys).all():
        return None
    days, texts = np.unique(true_keys), np.unique(text_keys)
    if min(_count_months(days), _count_months(_in_order(texts))) < MONTHS:
        return None
    if len(days) * EARLY + len(texts) * LATE > CHANCE:
        return None
    examples = (str(text[int(rows[0])].as_py()) for rows in (true_rows, text_rows))
    return Swapped(len(true_rows), len(text_rows), *examples)


def _read_dates(text: pa.Array, *, is_text: bool) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the dates written as in 24/05/2025, or else as in 2025-05-24, and their numbers as yyyymmdd.

    Of a text the first number is taken for the month, the second for the day.
    """
    rows, keys = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for at, chars, shape in texts_by_shape(text):
        match = (DAY_FIRST if is_text else ISO).fullmatch(shape)
        if match is None:
            continue
        month, day = ("day", "month") if is_text else ("month", "day")
        parts = [number_at(chars, match, name) for name in ("year", month, day)]
        rows.append(at)
        keys.append(parts[0] * 10_000 + parts[1] * 100 + parts[2])
    return np.concatenate(rows), np.concatenate(keys)


def _days(keys: np.ndarray) -> np.ndarray:
    return keys % 100


def _months(keys: np.ndarray) -> np.ndarray:
    return keys // 100 % 100


def _is_late(keys: np.ndarray) -> np.ndarray:
    """Which texts can be read in one order only, because one number is no month."""
    return np.asarray((_months(keys) > 12) ^ (_days(keys) > 12))


def _in_order(keys: np.ndarray) -> np.ndarray:
    """The same dates with the number that can be a month as the month."""
    swapped = keys // 10_000 * 10_000 + _days(keys) * 100 + _months(keys)
    return np.where(_months(keys) > 12, swapped, keys)


def _count_months(keys: np.ndarray) -> int:
    return len(np.unique(keys // 100))
