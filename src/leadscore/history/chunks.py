"""Leads and snapshots in chunks, which keep memory within bounds.

A long column of texts of Arrow is never read as a whole: each would become an object of Python.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd


def split_between_leads(rows: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Slices of `size` rows, and more where a lead would be split.

    One empty slice if there are no rows.
    """
    if rows.empty:
        yield rows
    lead_ids = rows["lead_id"].array
    begin = 0
    while begin < len(rows):
        end = _next_lead(lead_ids, begin + size)
        yield rows.iloc[begin:end]
        begin = end


def _next_lead(lead_ids: Sequence[str], place: int) -> int:
    """The first place from `place` on at which a lead begins, or the end."""
    while place < len(lead_ids) and lead_ids[place] == lead_ids[place - 1]:
        place += 1
    return min(place, len(lead_ids))


def take_leads(rows: pd.DataFrame, lead_id: np.ndarray) -> pd.DataFrame:
    """The rows of some leads (k,), of rows that are by lead_id."""
    if not len(lead_id):
        return rows.iloc[:0]
    read = rows["lead_id"].array.__getitem__
    near = rows.iloc[find_between(read, len(rows), min(lead_id), max(lead_id))]
    return near[near["lead_id"].isin(lead_id)]


def find_between(read: Callable[[int], str], n: int, first: str, last: str) -> slice:
    """Which of n texts in order, each read by its place, lie between two texts, both included."""
    places = range(n)
    return slice(bisect_left(places, first, key=read), bisect_right(places, last, key=read))
