"""Reads the next batch and writes the last one while the caller works on one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import pyarrow as pa

Batch = TypeVar("Batch")

MAX_WAITING = 2  # writes; more would fill the memory


def read_ahead(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The same batches, from the second on the next one read while the caller works on one."""
    source = iter(batches)
    yield from islice(source, 1)  # most files have no other, and a thread takes a millisecond
    batch = next(source, None)
    if batch is None:
        return
    with ThreadPoolExecutor(1) as thread:
        while batch is not None:
            coming = thread.submit(next, source, None)
            yield batch
            batch = coming.result()


class BackgroundWriter:
    """Runs writes in the background, one after the other; leaving it waits for them all.

    An error of a write is raised by a later `run`, or on leaving.
    """

    def __enter__(self) -> BackgroundWriter:
        self.thread = ThreadPoolExecutor(1)
        self.waiting: list[Future[None]] = []
        return self

    def run(self, write: Callable[[pa.Table], None], rows: pa.Table) -> None:
        """Write rows when it is their turn."""
        self.waiting.append(self.thread.submit(write, rows))
        if len(self.waiting) > MAX_WAITING:
            oldest = self.waiting.pop(0)
            oldest.result()

    def __exit__(self, *_: object) -> None:
        self.thread.shutdown()
        for write in self.waiting:
            write.result()
