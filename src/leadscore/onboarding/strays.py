"""Rows of a file that are none of its table: headers that come again, titles of groups, and totals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST = 0.1  # the share of such rows, else that is how the table is
LEAST_FILLED = 1 / 3  # of the values that most rows have
LEAST_NAMES = 2  # of columns, in a header


def find_headers(columns: Mapping[str, pa.Array]) -> np.ndarray:
    """Which rows (n,) repeat the names of the columns."""
    n_filled = _count_filled(columns)
    names = np.zeros_like(n_filled)
    for name, text in columns.items():
        names += np.asarray(pc.equal(text, name))
    is_header: np.ndarray = (names >= LEAST_NAMES) & (2 * names > n_filled)
    return is_header


def find_sparse(columns: Mapping[str, pa.Array]) -> np.ndarray:
    """Which rows (n,) have far fewer values than most; none where many have."""
    n_filled = _count_filled(columns)
    if not len(n_filled):
        return np.zeros(0, dtype=bool)
    is_sparse: np.ndarray = n_filled <= LEAST_FILLED * np.median(n_filled)
    return is_sparse if is_sparse.mean() <= MOST else np.zeros_like(is_sparse)


def _count_filled(columns: Mapping[str, pa.Array]) -> np.ndarray:
    texts = list(columns.values())
    n_filled = np.zeros(len(texts[0]) if texts else 0, dtype=np.int64)
    for text in texts:
        n_filled += np.asarray(pc.not_equal(text, ""))
    return n_filled
