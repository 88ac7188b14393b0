"""AUC within blocks: leads are compared only with those on the same list, so that drift between lists ranks nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranking:
    """Rows sorted once by block and probability, for the AUC under many weightings.

    Attributes:
        tie: (n,) which tie each row belongs to: rows of one block and one probability, numbered in that order.
        starts: (blocks,) the first tie of each block.
    """

    tie: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, probability: np.ndarray, block: np.ndarray) -> Ranking:
        """The ranking of rows with these probabilities (n,) within their blocks (n,)."""
        _, value = np.unique(probability, return_inverse=True)
        _, place = np.unique(block, return_inverse=True)
        pairs = place.astype(np.int64) * (len(value) + 1) + value
        ties, tie = np.unique(pairs, return_inverse=True)
        _, starts = np.unique(ties // (len(value) + 1), return_index=True)
        return cls(tie, starts)

    def auc(self, label: np.ndarray, weight: np.ndarray) -> float:
        """How often a won row is ranked above a row of its own block that is not won.

        The mean of the AUCs of all blocks. Each pair weighs the product of its two weights, so a block weighs the
        sum over its pairs; ties count half. Blocks without both labels have no pair. NaN if no block has one.
        """
        if not len(self.tie):
            return float("nan")
        won, lost = self._by_tie(label, weight)
        block_lost = np.add.reduceat(lost, self.starts)
        before = np.repeat(
            np.cumsum(block_lost) - block_lost, np.diff(np.r_[self.starts, len(lost)])
        )
        below = np.cumsum(lost) - lost - before
        pairs = (np.add.reduceat(won, self.starts) * block_lost).sum()
        return float((won * (below + lost / 2)).sum() / pairs) if pairs > 0 else float("nan")

    def count_blocks(self, label: np.ndarray, weight: np.ndarray) -> tuple[int, int]:
        """How many blocks have rows of both labels, and how many have not and are left out."""
        if not len(self.tie):
            return 0, 0
        won, lost = (np.add.reduceat(side, self.starts) for side in self._by_tie(label, weight))
        used = int(((won > 0) & (lost > 0)).sum())
        return used, len(self.starts) - used

    def _by_tie(self, label: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of the won rows and of the others in each tie."""
        ties = int(self.tie.max()) + 1
        won = np.bincount(self.tie, weights=weight * label, minlength=ties)
        return won, np.bincount(self.tie, weights=weight * (1 - label), minlength=ties)
