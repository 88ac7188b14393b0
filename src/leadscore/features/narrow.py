"""Columns in no more memory than their numbers need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.features.feature import Feature


@dataclass(frozen=True)
class Narrow(Mapping[str, np.ndarray]):
    """Columns (n,) that are filled part by part, numbers as float32 where it holds every one exactly.

    Counts, flags and most others then take half the memory; all are read as float64.
    """

    stored: dict[str, np.ndarray]

    @classmethod
    def allocate(cls, features: Sequence[Feature], *, rows: int) -> Narrow:
        """Columns of some features, to be filled from the first row on."""
        kinds = {
            feature.name: object if feature.is_category else np.float32 for feature in features
        }
        return cls({name: np.empty(rows, dtype=kind) for name, kind in kinds.items()})

    def fill(self, name: str, begin: int, values: np.ndarray) -> None:
        """Write the next values (m,) of a column, whose first `begin` rows are filled."""
        column = self.stored[name]
        if column.dtype == np.float32 and not _is_exact(values):
            column = _widen(column, filled=begin)
            self.stored[name] = column
        column[begin : begin + len(values)] = values

    def take(self, name: str, at: np.ndarray) -> np.ndarray:
        """The values (m,) of a column at positions: only these are widened."""
        return _read(self.stored[name][at])

    def __getitem__(self, name: str) -> np.ndarray:
        return _read(self.stored[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)


def _read(column: np.ndarray) -> np.ndarray:
    """Numbers as float64."""
    return column.astype(np.float64) if column.dtype == np.float32 else column


def _is_exact(values: np.ndarray) -> bool:
    """Whether float32 holds every value."""
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return np.array_equal(narrow, values, equal_nan=True)


def _widen(column: np.ndarray, *, filled: int) -> np.ndarray:
    """A column as float64; only its first rows have values."""
    wide = np.empty(len(column))
    wide[:filled] = column[:filled]
    return wide
