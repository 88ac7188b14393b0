"""Which rows learn at each split: of long histories, samples of whole leads at all but the last.

The splits before the last only help to choose and to calibrate, and hardly choose better with more rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.model.scorers.encoded_pair import MOST_ROWS, sample_leads
from leadscore.results import Sampled


def sample_sides(matrix: Matrix, earlier: Sequence[Side]) -> list[pd.DataFrame]:
    """The rows that learn at each split: all at the last, which evaluates.

    Before it they are the labelled rows of every so many leads, if there are more than `MOST_ROWS`.

    Args:
        matrix: has the features of all rows.
        earlier: what could be learned at each split.
    """
    before = [_sample(matrix, side) for side in earlier[:-1]]
    last = [side.rows for side in earlier[-1:]]
    return before + last


def _sample(matrix: Matrix, side: Side) -> pd.DataFrame:
    labelled = side.rows[side.observed]
    sampled = sample_leads(matrix, labelled, most=MOST_ROWS)
    return side.rows if sampled is labelled else sampled


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
