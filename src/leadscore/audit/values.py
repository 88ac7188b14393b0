"""What leads have in a field: codes of words, or numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from leadscore.settings.fields import LeadField

BINS = 20


@dataclass(frozen=True)
class MostCommon:
    """The most common value: its identity (-1: none), how many leads have it, and the number."""

    identity: int
    leads: int
    number: float


@dataclass(frozen=True)
class Values:
    """A field's values of n leads: codes of `words`, or numbers (dates in microseconds).

    A missing one is -1, or NaN.
    """

    name: str
    type: str
    codes: np.ndarray
    words: tuple[str, ...]
    numbers: np.ndarray

    @property
    def is_text(self) -> bool:
        """Whether `codes` and `words` hold the values."""
        return self.type == "text"

    @property
    def missing(self) -> np.ndarray:
        """Which leads (n,) have none."""
        return self.codes < 0 if self.is_text else np.isnan(self.numbers)

    def identities(self) -> np.ndarray:
        """A number (n,) that is equal for equal values, -1 for a missing one."""
        if self.is_text:
            return self.codes
        _, rank = np.unique(self.numbers, return_inverse=True)
        return np.where(self.missing, -1, rank)

    def most_common(self, rows: np.ndarray) -> MostCommon:
        """The most common value among `rows`; of equally common ones the smallest."""
        identities = self.identities()[rows]
        identities = identities[identities >= 0]
        if not len(identities):
            return MostCommon(identity=-1, leads=0, number=np.nan)

        n = np.bincount(identities)
        top = int(n.argmax())
        number = np.nan
        if not self.is_text:
            distinct = np.unique(self.numbers[~self.missing])
            number = float(distinct[top])
        return MostCommon(identity=top, leads=int(n[top]), number=number)

    def cells(self, rows: np.ndarray, *, since: np.ndarray | None = None) -> np.ndarray:
        """The cells (rows,) that rates are learned by: 0 is missing.

        Of text each value is a cell from 1 on. Numbers are cut at their quantiles into at most 20
        cells from 2 on, and 1 is the most common number if it is as large as a cell.

        Args:
            rows: places of leads.
            since: (n,) what a date is counted from.
        """
        if self.is_text:
            return np.asarray(self.codes[rows] + 1)

        numbers = self.numbers[rows]
        if since is not None:
            numbers = numbers - since[rows]
        is_missing = np.isnan(numbers)
        present = numbers[~is_missing]
        if not len(present):
            return np.zeros(len(numbers), dtype=np.int64)

        levels = np.arange(1, BINS) / BINS
        quantiles = np.quantile(present, levels, method="lower")
        cells = np.searchsorted(np.unique(quantiles), numbers, side="right") + 2

        distinct, n = np.unique(present, return_counts=True)
        if n.max() >= len(numbers) / BINS:
            most_common = distinct[n.argmax()]
            cells = np.where(numbers == most_common, 1, cells)
        return np.where(is_missing, 0, cells)


@dataclass(frozen=True)
class FieldHistory:
    """What a field with a history said at creation, just before the close, and at last.

    `watched` (n,) are the leads whose close could have been seen to change the field. A history
    that our own exports show begins with them: a lead that closed before any export listed it is no
    evidence of what its close changed.
    """

    at_creation: Values
    before_close: Values
    now: Values
    watched: np.ndarray


def build_values(name: str, field: LeadField, column: pa.Array) -> Values:
    """A column of `leads`, or texts of `changes`, as values.

    Numbers are in units, as people write them.
    """
    if field.type == "text":
        return _build_texts(name, column)

    stored = column.cast(pa.float64(), safe=False)
    numbers = np.asarray(stored.to_numpy(zero_copy_only=False), dtype=np.float64)
    if field.type == "number":
        numbers = numbers / 10**field.decimals
    no_codes = np.empty(0, dtype=np.int64)
    return Values(name, field.type, codes=no_codes, words=(), numbers=numbers)


def _build_texts(name: str, column: pa.Array) -> Values:
    encoded = column.dictionary_encode()
    indices = encoded.indices.fill_null(-1)
    codes = indices.to_numpy(zero_copy_only=False)
    return Values(
        name,
        type="text",
        codes=codes.astype(np.int64),
        words=tuple(encoded.dictionary.to_pylist()),
        numbers=np.empty(0),
    )
