"""The AUC within lists: a lead is compared only with leads of its own list.

So the drift of the win rate between lists ranks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.evaluation.sums import sum_by


@dataclass(frozen=True)
class Ranking:
    """Rows sorted once by block and probability, for the AUC under many weightings.

    Attributes:
        tie: (n,) the tie of each row: rows of one block and one probability, numbered in that
            order.
        starts: (blocks,) the first tie of each block.
    """

    tie: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, probability: np.ndarray, block: np.ndarray) -> Ranking:
        """The ranking of rows with these probabilities (n,) within their blocks (n,)."""
        _, rank = np.unique(probability, return_inverse=True)
        _, place = np.unique(block, return_inverse=True)
        base = len(rank) + 1  # more than any rank, so that a block and a rank make one number
        key = place.astype(np.int64) * base + rank
        ties, tie = np.unique(key, return_inverse=True)
        block_of_tie = ties // base
        _, starts = np.unique(block_of_tie, return_index=True)
        return cls(tie, starts)

    def auc(self, label: np.ndarray, weight: np.ndarray) -> float:
        """The probability that a won row ranks above a row of its own block that is not won.

        The mean of the AUCs of the blocks, weighted by pairs: a pair weighs the product of its two
        weights, and ties count half. A block with one label only has no pair.

        Returns:
            The AUC; NaN if no block has a pair.
        """
        if not len(self.tie):
            return float("nan")
        won, lost = self._by_tie(label, weight)
        won_of_block = self._by_block(won)
        lost_of_block = self._by_block(lost)
        pairs = (won_of_block * lost_of_block).sum()
        if pairs <= 0:
            return float("nan")

        ends = np.append(self.starts[1:], len(lost))
        lost_before_block = np.cumsum(lost_of_block) - lost_of_block
        lost_before = np.repeat(lost_before_block, ends - self.starts)
        below = np.cumsum(lost) - lost - lost_before
        ordered_pairs = won * (below + lost / 2)
        return float(ordered_pairs.sum() / pairs)

    def count_blocks(self, label: np.ndarray, weight: np.ndarray) -> tuple[int, int]:
        """How many blocks have rows of both labels, and how many do not and are left out."""
        if not len(self.tie):
            return 0, 0
        won, lost = self._by_tie(label, weight)
        has_won = self._by_block(won) > 0
        has_lost = self._by_block(lost) > 0
        has_both = has_won & has_lost
        used = int(has_both.sum())
        return used, len(self.starts) - used

    def _by_block(self, of_ties: np.ndarray) -> np.ndarray:
        """The sum (blocks,) over the ties of each block."""
        return np.add.reduceat(of_ties, self.starts)

    def _by_tie(self, label: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The weight of the won rows and of the others in each tie."""
        ties = int(self.tie.max()) + 1
        won = sum_by(self.tie, weight * label, places=ties)
        weight_not_won = weight * (1 - label)
        lost = sum_by(self.tie, weight_not_won, places=ties)
        return won, lost
