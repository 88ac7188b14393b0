"""The second step of a feature, in numpy: from exact integers and texts of SQL to floating numbers.

A finish is a frozen dataclass, so that its repr names it. It is called with the columns by name,
each (n,) float64 with NaN for null or object with None, and as_of_us (n,); it returns (n,).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from leadscore.times import DAY_US

Columns = Mapping[str, np.ndarray]
Finish = Callable[[Columns, np.ndarray], np.ndarray]


def read_integers(values: np.ndarray) -> np.ndarray:
    """Integers as float64, also where `changes` keeps them as text; NaN for unknown."""
    if values.dtype != object:
        return values
    return by_value(values, float)


def by_value(values: np.ndarray, number: Callable[[str], float | None]) -> np.ndarray:
    """The numbers (n,) of texts (n,), each distinct one resolved once; NaN for unknown."""
    codes, texts = pd.factorize(values)
    numbers = [number(text) for text in texts]
    with_unknown = np.array([*numbers, None], dtype=np.float64)  # unknown texts have the code -1
    return np.asarray(with_unknown[codes])


@dataclass(frozen=True)
class Count:
    """How many; none where the lead has no row."""

    column: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        return np.asarray(np.nan_to_num(columns[self.column]))


@dataclass(frozen=True)
class DaysSince:
    """Days from a moment in microseconds to as_of."""

    column: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        event_us = read_integers(columns[self.column])
        return np.asarray((as_of_us - event_us) / DAY_US)


@dataclass(frozen=True)
class DaysUntil:
    """Days from as_of to a moment in microseconds; negative once it has passed."""

    column: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        event_us = read_integers(columns[self.column])
        return np.asarray((event_us - as_of_us) / DAY_US)


@dataclass(frozen=True)
class Minutes:
    """A length in minutes; `none` says whether a missing one is 0 or unknown."""

    column: str
    per_minute: int
    none: bool = True

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        length = columns[self.column]
        if self.none:
            length = np.nan_to_num(length)
        return np.asarray(length / self.per_minute)


@dataclass(frozen=True)
class Earlier:
    """1 where the first of two moments is not the later one, else 0; unknown where both are."""

    one: str
    other: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        one = columns[self.one]
        other = columns[self.other]
        has_one = np.isfinite(one)
        has_other = np.isfinite(other)
        is_first = has_one & (~has_other | (one <= other))
        is_any_known = has_one | has_other
        return np.where(is_any_known, is_first.astype(np.float64), np.nan)


@dataclass(frozen=True)
class Trend:
    """Last week's count less the weekly mean of the 30 days before it."""

    week: str
    before: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        last_week = np.nan_to_num(columns[self.week])
        before = np.nan_to_num(columns[self.before])
        return np.asarray(last_week - before * 7 / 30)


@dataclass(frozen=True)
class Pace:
    """A count of all time, a week since a moment in microseconds.

    Less than a week counts as one.
    """

    count: str
    since: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        weeks = (as_of_us - columns[self.since]) / (7 * DAY_US)
        count = np.nan_to_num(columns[self.count])
        return np.asarray(count / np.maximum(weeks, 1.0))


@dataclass(frozen=True)
class Share:
    """The part's share of part and rest; unknown where both are none."""

    part: str
    rest: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        part = np.nan_to_num(columns[self.part])
        total = part + np.nan_to_num(columns[self.rest])
        share = part / np.maximum(total, 1)
        return np.where(total > 0, share, np.nan)


@dataclass(frozen=True)
class Amount:
    """A number in minor units, as written."""

    column: str
    decimals: int = 0

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        minor_units = read_integers(columns[self.column])
        return np.asarray(minor_units / 10**self.decimals)


@dataclass(frozen=True)
class Text:
    """A text taken from a row."""

    column: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        return columns[self.column]


@dataclass(frozen=True)
class Learned:
    """Stands for a feature that the encoder makes from rows; it has no value of its own."""

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        return np.full(len(as_of_us), np.nan)


@dataclass(frozen=True)
class Levels:
    """Strength of an answer on an ordered scale, evenly from 0 (first) to 1 (last)."""

    column: str
    levels: tuple[str, ...]

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        top = len(self.levels) - 1
        strength = {level: place / top for place, level in enumerate(self.levels)}
        return by_value(columns[self.column], strength.get)


@dataclass(frozen=True)
class Titles:
    """Strength of a job title by the first pattern that it matches, upper or lower case."""

    column: str
    titles: tuple[tuple[str, float], ...]

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        return by_value(columns[self.column], self._strength)

    def _strength(self, title: str) -> float | None:
        plain = title.casefold()
        for pattern, strength in self.titles:
            plain_pattern = _only_stars(pattern.casefold())
            if fnmatchcase(plain, plain_pattern):
                return strength
        return None


@dataclass(frozen=True)
class FullAmount:
    """Strength of an amount: its share of `full`, at most 1."""

    column: str
    decimals: int
    full: float

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        amount = read_integers(columns[self.column]) / 10**self.decimals
        share = amount / self.full
        return np.asarray(np.clip(share, 0.0, 1.0))


@dataclass(frozen=True)
class WithinDays:
    """Strength of a date: 1 up to `near` days ahead, falling to 0 at `far`.

    0 once it has passed.
    """

    column: str
    near: float
    far: float

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        event_us = read_integers(columns[self.column])
        days = (event_us - as_of_us) / DAY_US
        strength = (self.far - days) / (self.far - self.near)
        ahead = np.clip(strength, 0.0, 1.0)
        return np.where(days < 0, 0.0, ahead)  # an unknown date is not below 0 and stays unknown


@dataclass(frozen=True)
class SinceCreation:
    """Another finish, of a column at creation, or of the latest change that exports showed."""

    column: str
    inner: Finish

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        first = columns[self.column]
        later = columns[f"{self.column}_later"]
        if first.dtype != object:
            later = read_integers(later)
        is_changed = np.nan_to_num(columns[f"{self.column}_changes"]) > 0
        latest = np.where(is_changed, later, first)
        return self.inner({**columns, self.column: latest}, as_of_us)


@dataclass(frozen=True)
class Known:
    """1 where another finish knows a value, else 0."""

    inner: Finish

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        values = self.inner(columns, as_of_us)
        return np.asarray(np.isfinite(values), dtype=np.float64)


@dataclass(frozen=True)
class Filled:
    """1 where a column has a value, else 0."""

    column: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        values = columns[self.column]
        if values.dtype != object:
            return np.asarray(np.isfinite(values), dtype=np.float64)
        is_known = [value is not None for value in values]
        return np.array(is_known, dtype=np.float64)


@dataclass(frozen=True)
class Mean:
    """The mean of those of other finishes that know a value; unknown where none does."""

    parts: tuple[Finish, ...]

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        of_parts = [part(columns, as_of_us) for part in self.parts]
        values = np.stack(of_parts)
        is_known = np.isfinite(values)
        n = is_known.sum(axis=0)
        known_values = np.where(is_known, values, 0.0)
        total = known_values.sum(axis=0)
        mean = total / np.maximum(n, 1)
        return np.where(n > 0, mean, np.nan)


@dataclass(frozen=True)
class DaysSpent:
    """Days of a length in microseconds; none where the lead has no row."""

    column: str

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        us = np.nan_to_num(columns[self.column])
        return np.asarray(us / DAY_US)


@dataclass(frozen=True)
class Total:
    """The sum of other finishes."""

    parts: tuple[Finish, ...]

    def __call__(self, columns: Columns, as_of_us: np.ndarray) -> np.ndarray:
        total = np.zeros(len(as_of_us))
        for part in self.parts:
            total = total + part(columns, as_of_us)
        return total


def _only_stars(pattern: str) -> str:
    """A pattern in which `*` is the only sign with a meaning."""
    return re.sub(r"([?[])", r"[\1]", pattern)
