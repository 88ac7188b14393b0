"""The rows of a list by rank, which are made part by part in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from leadscore.spilled import Spilled

SLICE = 65_536  # rows that are read at once; Parquet's pages begin at multiples of 1,024


class Ranked:
    """The rows of a list (n,), read in slices: together they may be too long for memory."""

    def __init__(self) -> None:
        self._tables = Spilled()
        self._ranks: list[np.ndarray] = []

    def add(self, rows: pa.Table, *, rank: np.ndarray) -> None:
        """Keep rows (m,) with their places (m,) in the whole list, from 0 on.

        Raises:
            UnavailableError: the disk is full, ...
        """
        order = np.argsort(rank)
        self._tables.add(rows.take(order))
        self._ranks.append(rank[order])

    @property
    def num_rows(self) -> int:
        """How many rows the list has."""
        return sum(map(len, self._ranks))

    def __iter__(self) -> Iterator[pa.Table]:
        """The list in slices, in its order; one without rows where it has none."""
        return self._slices(None)

    def read(self) -> pa.Table:
        """The whole list at once."""
        return pa.concat_tables(self)

    def columns(self, names: Sequence[str]) -> pa.Table:
        """Some columns of the whole list."""
        return pa.concat_tables(self._slices(names))

    def _slices(self, names: Sequence[str] | None) -> Iterator[pa.Table]:
        """The list in slices, with all or some of its columns."""
        for begin in range(0, max(self.num_rows, 1), SLICE):
            yield self._read(begin, begin + SLICE, names)

    def _read(self, begin: int, end: int, names: Sequence[str] | None) -> pa.Table:
        """The rows of the ranks from `begin` on and before `end`."""
        tables = []
        ranks = []
        for place, rank in enumerate(self._ranks):
            first, past_last = np.searchsorted(rank, [begin, end])
            table = self._tables.read(place)
            chosen = table if names is None else table.select(names)
            tables.append(chosen.slice(first, past_last - first))
            ranks.append(rank[first:past_last])
        order = np.argsort(np.concatenate(ranks))
        return pa.concat_tables(tables).take(order)
