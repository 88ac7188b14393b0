"""Work beside work: the next batch is read, and the last one written, while one is mapped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from leadscore.ingest.readers.batch import Batch


def ahead(items: Iterable[Batch]) -> Iterator[Batch]:
    """The same items, the next one made while one is worked on."""
    source = iter(items)
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, source, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, source, None)
            yield item


class Beside:
    """Runs writes one after the other beside the work; no more than two wait."""

    def __enter__(self) -> Beside:
        self.thread, self.waiting = ThreadPoolExecutor(1), list[Future[None]]()
        return self

    def run(self, write: Callable[[pa.Table], None], rows: pa.Table) -> None:
        """Write rows when it is their turn."""
        self.waiting.append(self.thread.submit(write, rows))
        if len(self.waiting) > 2:
            self.waiting.pop(0).result()

    def __exit__(self, *_: object) -> None:
        self.thread.shutdown()
        for each in self.waiting:
            each.result()
