"""Leads of a list in parts, so that what is made of them on the way takes no more memory for a longer list."""

from __future__ import annotations

import numpy as np

AT_ONCE = 100_000  # leads


def split_evenly(at: np.ndarray) -> list[np.ndarray]:
    """Positions (n,) in parts of at most `AT_ONCE`; one empty part where there are none.

    >>> [len(part) for part in split_evenly(np.arange(250_000))]
    [83334, 83333, 83333]
    """
    parts = max(1, -(-len(at) // AT_ONCE))
    return np.array_split(at, parts)
