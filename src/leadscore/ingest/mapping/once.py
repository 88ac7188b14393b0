"""Rows in order without their exact duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def once(
    batches: Iterable[pa.RecordBatch], columns: list[str], counts: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """Rows in order, without exact duplicates: those that equal the row before in all columns.

    An activity without an id equals no other row of its file: two calls on one day may look alike. `counts` receives
    the `duplicates` that are left out, and the activities that stay although they look `repeated`.
    """
    last: pa.RecordBatch | None = None
    for batch in batches:
        both = (
            batch
            if last is None
            else pa.Table.from_batches([last, batch]).combine_chunks().to_batches()[0]
        )
        again = _find_equal(both, columns)
        if "activity_id" in columns:
            same = _is_same_activity(both, again)
            counts["repeated"] += int((~same).sum())
            again = again[same]
        kept = np.ones(both.num_rows, dtype=bool)
        kept[again + 1] = False
        counts["duplicates"] += len(again)
        if last is not None:
            kept[0] = False
        last = both.slice(both.num_rows - 1)
        yield both if kept.all() else both.filter(pa.array(kept))


def _find_equal(rows: pa.RecordBatch, columns: list[str]) -> np.ndarray:
    """The rows (their places) whose next row has the same values in all columns."""
    again = np.arange(rows.num_rows - 1)
    if "event_us" in columns:  # most rows differ there, and numbers are quickly compared
        again = np.flatnonzero(np.diff(rows["event_us"].fill_null(-1).to_numpy()) == 0)
    for name in columns:  # only where all columns so far are equal is the next one looked at
        if not len(again):
            break
        one, other = rows[name].take(pa.array(again)), rows[name].take(pa.array(again + 1))
        equal = pc.or_(
            pc.equal(one, other).fill_null(False), pc.and_(pc.is_null(one), pc.is_null(other))
        )
        again = again[equal.to_numpy(zero_copy_only=False)]
    return again


def _is_same_activity(rows: pa.RecordBatch, again: np.ndarray) -> np.ndarray:
    """Which of the rows at `again` are the same activity as the equal row after: by its id, or by the line of both."""
    has_id = pc.is_valid(rows["activity_id"]).to_numpy(zero_copy_only=False)[again]
    lines = rows["line"].to_numpy()
    return np.asarray(has_id | (lines[again] == lines[again + 1]))
