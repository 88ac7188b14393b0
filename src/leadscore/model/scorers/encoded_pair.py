"""Rows to learn from and rows to compare on, encoded once for trees of any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import add_codes, encode
from leadscore.model.encode import TrainingColumns, fit_levels
from leadscore.model.scorers.boosted import TreeRows

# At most so many rows learn where something is only chosen; with 40,000 the chosen trees ranked worse.
MOST_ROWS = 200_000


@dataclass(frozen=True)
class EncodedRows:
    """Labelled rows as the trees see them.

    Attributes:
        encoded: (n, features + levels).
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        lead_id: (n,).
    """

    encoded: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    lead_id: np.ndarray


@dataclass(frozen=True)
class EncodedPair:
    """Rows to learn from, as LightGBM bins them, and others, held out, to compare on."""

    learned: TreeRows
    compared: EncodedRows


def encode_pair(
    matrix: Matrix,
    learned: pd.DataFrame,
    compared: pd.DataFrame,
    features: Sequence[Feature],
) -> EncodedPair:
    """The labelled rows of both sides, encoded by what is known of the first.

    Args:
        matrix: has the features of all rows.
        learned: rows to learn from, with label and weight.
        compared: rows of other leads or of later moments.
        features: what the matrix holds.
    """
    learned = learned[learned["label"].notna()]
    compared = compared[compared["label"].notna()]
    label = learned["label"].to_numpy(dtype=float)
    weight = learned["weight"].to_numpy(dtype=float)
    seen = matrix.take(learned)
    unseen = matrix.take(compared)

    levels = fit_levels(seen, features)
    columns = TrainingColumns.of(seen, label, weight, features)
    of_unseen = encode(columns.encoder, unseen.columns)
    return EncodedPair(
        learned=TreeRows.of(
            columns.stack(levels),
            label,
            weight,
            features=features,
            levels=levels,
        ),
        compared=_as_rows(compared, add_codes(levels, of_unseen, unseen.columns)),
    )


def _as_rows(rows: pd.DataFrame, encoded: np.ndarray) -> EncodedRows:
    return EncodedRows(
        encoded=encoded,
        label=rows["label"].to_numpy(dtype=float),
        weight=rows["weight"].to_numpy(dtype=float),
        lead_id=rows["lead_id"].to_numpy(),
    )
