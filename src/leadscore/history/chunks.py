"""Snapshots in chunks, which keep memory within bounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd


def split_between_leads(rows: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Slices of `size` rows, and more where a lead would be split.

    One empty slice if there are no rows.
    """
    if rows.empty:
        yield rows
    lead_ids = rows["lead_id"].to_numpy()
    begin = 0
    while begin < len(rows):
        end = _next_lead(lead_ids, begin + size)
        yield rows.iloc[begin:end]
        begin = end


def _next_lead(lead_ids: np.ndarray, place: int) -> int:
    """The first place from `place` on at which a lead begins, or the end."""
    while place < len(lead_ids) and lead_ids[place] == lead_ids[place - 1]:
        place += 1
    return min(place, len(lead_ids))
