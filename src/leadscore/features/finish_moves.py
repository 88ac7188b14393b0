"""The second step of features about how a field moved; see `finish.py`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.features.finish import Columns, read_integers
from leadscore.times import DAY_US

MOST_RISE = 10.0  # times the first amount; more is a slip, or nothing that can be compared


@dataclass(frozen=True)
class Overdue:
    """1 where a moment in microseconds has passed, else 0; unknown where the moment is."""

    column: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        moment_us = read_integers(columns[self.column])
        has_passed = (moment_us < as_of_us).astype(np.float64)
        return np.where(np.isnan(moment_us), np.nan, has_passed)


@dataclass(frozen=True)
class Steps:
    """How often a number rose (sign 1), or fell (-1); unknown where the field has no value.

    Attributes:
        count: how often it did so in its history.
        first: the first value of the history.
        created: the value at creation, from which the first step is made; None where there is none.
        sign: 1 or -1.
    """

    count: str
    first: str
    created: str | None
    sign: int

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        count = np.nan_to_num(columns[self.count])
        first = read_integers(columns[self.first])
        is_known = np.isfinite(first)
        if self.created is not None:
            created = read_integers(columns[self.created])
            count = count + (self.sign * (first - created) > 0)
            is_known |= np.isfinite(created)
        return np.where(is_known, count, np.nan)


@dataclass(frozen=True)
class Drift:
    """How far the latest value lies from the first: of a date in days, else as a share of it.

    A share is unknown where the first value is not above 0.
    """

    first: str
    last: str
    created: str | None
    is_date: bool

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        start = read_integers(columns[self.first])
        end = read_integers(columns[self.last])
        if self.created is not None:
            created = read_integers(columns[self.created])
            start = np.where(np.isnan(created), start, created)
            end = np.where(np.isnan(end), created, end)
        if self.is_date:
            return np.asarray((end - start) / DAY_US)
        is_amount = start > 0
        rise = end / np.where(is_amount, start, 1.0) - 1.0
        bounded = np.clip(rise, -1.0, MOST_RISE)
        return np.where(is_amount, bounded, np.nan)
