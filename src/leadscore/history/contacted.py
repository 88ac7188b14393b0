"""Snapshots of leads that a published list gave to nobody: left out, and made up for by explored ones.

A team that works only the leads it is given loses the others whatever they are worth. Their outcomes
say what became of leads that nobody called, not which leads can be won; to learn from them would
confirm the list that left them out. A few were drawn by lot and worked all the same; each stands for
1 / (probability of being drawn) of them (Horvitz and Thompson 1952).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

LISTED = ["lead_id", "as_of_us"]


def weigh_by_contact(rows: pd.DataFrame, given: pd.DataFrame | None) -> pd.DataFrame:
    """Snapshots with their `grid_weight` times the inverse probability of having been given to a rep.

    A snapshot is judged by the last list at or before its moment that had its lead; before any list
    it stays as it is.

    Args:
        rows: `lead_id`, `as_of_us`, `grid_weight`, and any columns beside.
        given: `lead_id`, `as_of_us` of the list, and `probability` of being given to a rep by it: 0
            for leads that it gave to nobody. None if every lead counts as it is.
    """
    if given is None or given.empty or rows.empty:
        return rows
    probability = _look_up_probability(rows, given)
    is_given = probability > 0
    chosen = rows[is_given]
    weight = chosen["grid_weight"] / probability[is_given]
    return chosen.assign(grid_weight=weight)


def _look_up_probability(rows: pd.DataFrame, given: pd.DataFrame) -> np.ndarray:
    """The probability (n,) of each row's lead in the last list that had it; 1 before any list."""
    lists = given.rename(columns={"as_of_us": "listed_us"})
    numbered = rows.assign(place=np.arange(len(rows)))
    judged = pd.merge_asof(
        numbered.sort_values("as_of_us", kind="stable"),
        lists.sort_values("listed_us"),
        left_on="as_of_us",
        right_on="listed_us",
        by="lead_id",
    )
    in_order = judged.sort_values("place")
    return in_order["probability"].fillna(1.0).to_numpy()
