"""Reads the next batch and writes the last one while the caller works on one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.locks import writing_scratch

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
    """Writes temporary files in the background, one after the other; leaving it waits for them all.

    The first error of a write is raised by a later `run`, or on leaving. An error ends the writing:
    writes that wait are dropped, and the one that runs cannot hide the error by its own.
    """

    def __enter__(self) -> BackgroundWriter:
        self.thread = ThreadPoolExecutor(1)
        self.waiting: list[Future[None]] = []
        return self

    def run(self, write: Callable[[pa.Table], None], rows: pa.Table) -> None:
        """Write rows when it is their turn."""
        self.waiting.append(self.thread.submit(_write, write, rows))
        if len(self.waiting) > MAX_WAITING:
            oldest = self.waiting.pop(0)
            oldest.result()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self.thread.shutdown(cancel_futures=error is not None)
        if error is None:
            for write in self.waiting:
                write.result()


def _write(write: Callable[[pa.Table], None], rows: pa.Table) -> None:
    with writing_scratch():
        write(rows)


@contextmanager
def temporary_parquet(
    path: Path, schema: pa.Schema, *, use_dictionary: bool = True
) -> Iterator[pq.ParquetWriter]:
    """A temporary Parquet file to write, which takes more room than a stored one and less time.

    Raises:
        UnavailableError: the disk is full, ...
    """
    with writing_scratch():
        writer = pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=use_dictionary)
    try:
        yield writer
    finally:
        with writing_scratch():
            writer.close()
