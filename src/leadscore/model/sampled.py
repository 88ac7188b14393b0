"""Which rows learn at each split: of long histories, those of randomly drawn leads at all but the last.

The splits before the last only help to choose and to calibrate, and hardly choose better with more rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leadscore.history.side import Side
from leadscore.model.scorers.encoded_pair import MOST_ROWS
from leadscore.results import Sampled

STREAM = 2  # of the seed; others draw resamples


def draw_rows(keys: pd.DataFrame, *, most: int, seed: int) -> np.ndarray:
    """A mask (n,) of `most` rows, those of randomly drawn leads; of all rows if there are no more.

    A drawn lead has all its rows, but of the last one only the earliest may fit. Leads are drawn
    rather than accounts, which may have almost all rows or hardly any. The draw does not depend on
    the order of the rows.

    Args:
        keys: lead_id and as_of_us of n rows, no two alike.
        most: how many to draw.
        seed: of the draw.
    """
    lead, names = pd.factorize(keys["lead_id"], sort=True)
    rng = np.random.default_rng([seed, STREAM])
    turn = rng.permutation(len(names))[lead]
    in_turn = np.lexsort([keys["as_of_us"].to_numpy(), turn])
    is_drawn = np.zeros(len(keys), dtype=bool)
    is_drawn[in_turn[:most]] = True
    return is_drawn


def sample_leads(rows: pd.DataFrame, *, most: int, seed: int) -> pd.DataFrame:
    """All rows, or `most` labelled ones of randomly drawn leads if more have a label.

    See `draw_rows`; the rows keep their order.
    """
    labelled = rows[rows["label"].notna()]
    if len(labelled) <= most:
        return rows
    is_drawn = draw_rows(labelled, most=most, seed=seed)
    return pd.DataFrame(labelled[is_drawn])


def sample_sides(earlier: Sequence[Side], *, seed: int) -> list[pd.DataFrame]:
    """The rows that learn at each split: all at the last, which evaluates.

    Before it they are those of randomly drawn leads, if more than `MOST_ROWS` have a label.

    Args:
        earlier: what could be learned at each split.
        seed: of the draws.
    """
    before = [sample_leads(side.rows, most=MOST_ROWS, seed=seed) for side in earlier[:-1]]
    last = [side.rows for side in earlier[-1:]]
    return before + last


def describe_sampled(
    learned: Sequence[pd.DataFrame],
    earlier: Sequence[Side],
    *,
    trials: Sequence[int],
) -> Sampled | None:
    """How many labelled rows learned where samples did; None where all rows did.

    Args:
        learned: the rows that learned at each split, as `sample_sides` gives them.
        earlier: what could be learned at each.
        trials: how many learned at each split where trees were tuned; empty if all did.
    """
    splits = [int(rows["label"].count()) for rows in learned[:-1]]
    labelled = [int(side.observed.sum()) for side in earlier[:-1]]
    if splits == labelled:
        splits = []
    if not (splits or trials):
        return None
    return Sampled(splits=splits, trials=list(trials))
