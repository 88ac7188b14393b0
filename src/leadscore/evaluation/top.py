"""Which rows are in the top of their list, whatever they are ordered by."""

from __future__ import annotations

import numpy as np
import pandas as pd


def share_in_top(order: np.ndarray, block: np.ndarray, *, share: float) -> np.ndarray:
    """How much of each row (n,) is in the first `share` of its list, from 0 to 1.

    Rows come in falling `order`. Those of equal order come in random order, so that each of them
    is in with the same part.

    Args:
        order: (n,) what the lists are ordered by.
        block: (n,) the list of each row.
        share: of a list's rows.

    >>> share_in_top(np.array([3, 2, 2, 1]), np.zeros(4), share=0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    rows = pd.DataFrame({"block": block, "order": order})
    lists = rows.groupby("block")["order"]
    places = share * lists.transform("size")
    not_above = lists.rank(method="max", ascending=False)
    at_least = lists.rank(method="min", ascending=False)
    above = at_least - 1
    tied = not_above - above
    inside = (places - above) / tied
    return inside.clip(0.0, 1.0).to_numpy()
