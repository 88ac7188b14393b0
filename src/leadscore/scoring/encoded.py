"""The features of leads, with the matrix that a model reads of them: made once for all that is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.contributions.shapley import compute_contributions


@dataclass(frozen=True)
class Encoded:
    """The features of leads (n,) as a model reads them.

    Attributes:
        model: that reads them.
        matrix: the features.
        for_trees: (n, columns) as `WinModel.encode_for_trees` gives them.
        log_odds: (n,) of the leads.
    """

    model: WinModel
    matrix: Matrix
    for_trees: np.ndarray
    log_odds: np.ndarray

    @classmethod
    def of(cls, model: WinModel, matrix: Matrix, *, log_odds: np.ndarray | None = None) -> Self:
        """The features of a matrix (n,), encoded; `log_odds` if they are known already."""
        for_trees = model.encode_for_trees(matrix.columns)
        if log_odds is None:
            log_odds = model.log_odds(matrix.columns, for_trees)
        return cls(model, matrix, for_trees, log_odds)

    def rows(self, at: np.ndarray) -> Encoded:
        """The leads at positions (m,)."""
        return Encoded(self.model, self.matrix.rows(at), self.for_trees[at], self.log_odds[at])

    def contributions(self) -> np.ndarray:
        """What each feature adds to the log-odds (n, features), without the intercept."""
        added = compute_contributions(
            self.model, self.matrix.columns, self.for_trees, self.log_odds
        )
        return added[:, :-1]
