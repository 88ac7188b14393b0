"""Rows in order without their exact duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.words import to_mask


def once(
    batches: Iterable[pa.RecordBatch],
    columns: list[str],
    counts: Counter[str],
) -> Iterator[pa.RecordBatch]:
    """Rows in order, without exact duplicates: those that equal the row before in all `columns`.

    An activity without an id equals no other row of its file: two calls on one day may look alike.
    `counts` receives the `duplicates` that are left out, and the activities that stay although they
    look `repeated`.
    """
    last: pa.RecordBatch | None = None
    for batch in batches:
        rows = batch if last is None else _join(last, batch)
        equal = _find_equal(rows, columns)
        if "activity_id" in columns:
            is_same = _is_same_activity(rows, equal)
            counts["repeated"] += int((~is_same).sum())
            equal = equal[is_same]
        counts["duplicates"] += len(equal)

        stays = np.ones(rows.num_rows, dtype=bool)
        stays[equal + 1] = False
        begin = 0 if last is None else 1  # the batch before gave the first row
        last = rows.slice(rows.num_rows - 1)
        yield _keep(rows.slice(begin), stays[begin:])


def _keep(rows: pa.RecordBatch, stays: np.ndarray) -> pa.RecordBatch:
    return rows if stays.all() else rows.filter(pa.array(stays))


def _join(last: pa.RecordBatch, batch: pa.RecordBatch) -> pa.RecordBatch:
    table = pa.Table.from_batches([last, batch]).combine_chunks()
    return table.to_batches()[0]


def _find_equal(rows: pa.RecordBatch, columns: list[str]) -> np.ndarray:
    """The places of rows whose next row has the same values in all columns."""
    places = np.arange(rows.num_rows - 1)
    if "event_us" in columns:  # most rows differ there, and numbers are quick to compare
        event = rows["event_us"].fill_null(-1).to_numpy()
        places = np.flatnonzero(np.diff(event) == 0)

    for name in columns:  # a column is compared only where all columns before are equal
        if not len(places):
            break
        one = rows[name].take(pa.array(places))
        other = rows[name].take(pa.array(places + 1))
        same_value = pc.equal(one, other).fill_null(False)
        is_one_missing = pc.is_null(one)
        both_missing = pc.and_(is_one_missing, pc.is_null(other))
        is_equal = pc.or_(same_value, both_missing)
        places = places[to_mask(is_equal)]
    return places


def _is_same_activity(rows: pa.RecordBatch, places: np.ndarray) -> np.ndarray:
    """Which rows are the same activity as the equal one after: by their id, or their line."""
    has_id = to_mask(pc.is_valid(rows["activity_id"]))
    lines = rows["line"].to_numpy()
    is_same_line = lines[places] == lines[places + 1]
    return np.asarray(has_id[places] | is_same_line)
