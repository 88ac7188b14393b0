"""Bounds for shares, ranks and odds: what a check may claim of a field after chance has had its due."""

from __future__ import annotations

import numpy as np

Z = 1.96  # every claim rests on the near end of a 95 % interval
FOLDS = 5
PRIOR_LEADS = 20.0  # how many leads of the usual outcome a cell's own are mixed with


def compute_bounds(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper 95 % bound of shares of n (Wilson 1927); 0 and 1 where n is 0.

    >>> [round(float(x), 3) for x in compute_bounds(np.array(0.0), np.array(20))]
    [0.0, 0.161]
    """
    n = np.asarray(n, dtype=np.float64)
    safe = np.maximum(n, 1e-9)
    middle, spread = (
        share + Z**2 / (2 * safe),
        Z * np.sqrt(share * (1 - share) / safe + Z**2 / (4 * safe**2)),
    )
    low, high = (middle - spread) / (1 + Z**2 / safe), (middle + spread) / (1 + Z**2 / safe)
    return np.where(n > 0, np.clip(low, 0, 1), 0.0), np.where(n > 0, np.clip(high, 0, 1), 1.0)


def compute_odds(share: np.ndarray) -> np.ndarray:
    """Odds of a share, within reason at 0 and 1."""
    share = np.clip(share, 1e-12, 1 - 1e-12)
    return np.asarray(share / (1 - share))


def fit_out_of_fold(cells: np.ndarray, label: np.ndarray, block: np.ndarray) -> np.ndarray:
    """How much likelier than its block a lead's cell was won among the leads of other folds, (n,).

    Out of fold, a field with a value for each lead says nothing; less the block's own rate, neither does a clock.
    """
    usual = np.bincount(block, weights=label) / np.maximum(np.bincount(block), 1)
    beyond, size = label - usual[block], int(cells.max(initial=-1)) + 1
    fold = fold_of(cells)
    score = np.zeros(len(cells))
    for k in range(FOLDS):
        seen = fold != k
        n = np.bincount(cells[seen], minlength=size)
        total = np.bincount(cells[seen], weights=beyond[seen], minlength=size)
        score[~seen] = (total / (n + PRIOR_LEADS))[cells[~seen]]
    return score


def fold_of(cells: np.ndarray) -> np.ndarray:
    """The fold (n,) of each lead in `fit_out_of_fold`."""
    return np.arange(len(cells)) % FOLDS


def compute_auc_of_cells(
    cells: np.ndarray, label: np.ndarray, block: np.ndarray
) -> tuple[float, float, float]:
    """AUC of cells (n,), learned out of fold, among pairs of one block and one fold, and its 95 % bounds.

    Across folds a lead's own outcome lowers what the others of its cell say of it, so that a field without any signal
    would rank below chance.
    """
    score = fit_out_of_fold(cells, label, block)
    return compute_auc_within(score, label, block * FOLDS + fold_of(cells))


def compute_auc_within(
    score: np.ndarray, label: np.ndarray, block: np.ndarray
) -> tuple[float, float, float]:
    """AUC of pairs of one block, and its 95 % bounds; NaN without a pair.

    A block weighs as many as its pairs. The variance of a block's AUC A is at most A (1 - A) / min(won, lost) (Birnbaum
    and Klose 1957), whatever the distributions: so A is bounded like a share of that many.
    """
    aucs, pairs, fewer = [], [], []
    for b in np.unique(block):
        s, y = score[block == b], label[block == b]
        won, lost = float(y.sum()), float(len(y) - y.sum())
        if won and lost:
            _, at = np.unique(s, return_inverse=True)
            n_won, n_lost = np.bincount(at, weights=y), np.bincount(at, weights=1 - y)
            below = np.cumsum(n_lost) - n_lost
            aucs.append(float((n_won * (below + n_lost / 2)).sum() / (won * lost)))
            pairs.append(won * lost)
            fewer.append(min(won, lost))
    if not aucs:
        return float("nan"), float("nan"), float("nan")
    weight = np.array(pairs)
    auc = np.average(aucs, weights=weight)
    low, high = compute_bounds(auc, weight.sum() ** 2 / (weight**2 / np.array(fewer)).sum())
    return float(auc), float(low), float(high)


def compute_rank_correlation(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Spearman's rank correlation, and how near to 0 its 95 % interval comes (Fisher's z; 0 if it holds 0)."""
    n = len(x)
    rx, ry = compute_ranks(x), compute_ranks(y)
    if n < 10 or rx.std() == 0 or ry.std() == 0:
        return 0.0, 0.0
    r = float(np.corrcoef(rx, ry)[0, 1])
    z = np.arctanh(np.clip(abs(r), 0, 1 - 1e-12)) - Z * 1.06 / np.sqrt(n - 3)
    return r, float(np.tanh(max(z, 0.0)))


def compute_ranks(x: np.ndarray) -> np.ndarray:
    """Mean ranks (n,), ties sharing theirs."""
    _, at, n = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(n) - n / 2)[at])
