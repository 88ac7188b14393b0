"""Tables that together may be too long for memory: all but the last one wait on the disk."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
from pyarrow import feather

from leadscore.locks import scratch, writing_scratch


class Spilled:
    """Tables by their place, in temporary files that go when this does. A single one is in memory alone."""

    def __init__(self) -> None:
        self._places = 0
        self._last: pa.Table | None = None
        self._temporary = ExitStack()
        self._folder: Path | None = None
        weakref.finalize(self, self._temporary.close)

    def __len__(self) -> int:
        return self._places

    def add(self, table: pa.Table) -> None:
        """Keep a table.

        Raises:
            UnavailableError: the disk is full, ...
        """
        if self._last is not None:
            self._write(self._last)
        self._last = table
        self._places += 1

    def read(self, place: int) -> pa.Table:
        """The table of a place, from 0 on."""
        is_last = place == self._places - 1
        if is_last and self._last is not None:
            return self._last
        with writing_scratch():
            return feather.read_table(self._path(place), memory_map=True)

    def __iter__(self) -> Iterator[pa.Table]:
        return map(self.read, range(self._places))

    def _write(self, table: pa.Table) -> None:
        """Write the table of the place before the next one."""
        with writing_scratch():
            if self._folder is None:
                self._folder = self._temporary.enter_context(scratch())
            feather.write_feather(table, self._path(self._places - 1), compression="uncompressed")

    def _path(self, place: int) -> Path:
        assert self._folder is not None  # noqa: S101  (the first table that is written makes it)
        return self._folder / f"{place}.arrow"
