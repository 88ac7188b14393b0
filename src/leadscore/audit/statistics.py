"""Confidence bounds for shares, AUCs and correlations: how much of a finding may be chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Z = 1.96  # every finding rests on the cautious end of a 95% interval
FOLDS = 5
PRIOR_LEADS = 20.0  # average leads that each cell's own leads are pooled with
SMALLEST_SHARE = 1e-12  # keeps odds finite


class AucInterval(NamedTuple):
    """An AUC and its 95% bounds; NaN where no pair of a won and a lost lead could be compared."""

    value: float
    low: float
    high: float


def compute_bounds(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper 95% bounds of shares of n; 0 and 1 where n is 0.

    The score interval of Wilson (1927): with p the share and z = 1.96,

        (p + z² / 2n ± z √(p (1 - p) / n + z² / 4n²)) / (1 + z² / n)

    >>> [round(float(x), 3) for x in compute_bounds(np.array(0.0), np.array(20))]
    [0.0, 0.161]
    """
    n = np.asarray(n, dtype=np.float64)
    safe_n = np.maximum(n, 1e-9)

    variance = share * (1 - share) / safe_n
    center = share + Z**2 / (2 * safe_n)
    spread = variance + Z**2 / (4 * safe_n**2)
    margin = Z * np.sqrt(spread)
    scale = 1 + Z**2 / safe_n
    low = (center - margin) / scale
    high = (center + margin) / scale

    has_any = n > 0
    low = np.where(has_any, np.clip(low, 0, 1), 0.0)
    high = np.where(has_any, np.clip(high, 0, 1), 1.0)
    return low, high


def compute_lower_bound(hits: np.ndarray) -> float:
    """The lower 95% bound of the share of `hits` (n,) that are true."""
    n = np.array(len(hits))
    low, _ = compute_bounds(hits.mean(), n)
    return float(low)


def compute_odds(share: np.ndarray) -> np.ndarray:
    """The odds of a share, p / (1 - p); finite even at 0 and 1."""
    share = np.clip(share, SMALLEST_SHARE, 1 - SMALLEST_SHARE)
    return np.asarray(share / (1 - share))


def compute_odds_ratios(shares: np.ndarray, n: np.ndarray) -> np.ndarray:
    """How many times higher the odds of each of two shares surely are than the other's (2,).

    The lower bound of one is set against the upper bound of the other, so that at most one ratio
    exceeds 1.
    """
    low, high = compute_bounds(shares, n)
    highest_of_other = compute_odds(high)[::-1]
    return np.asarray(compute_odds(low) / highest_of_other)


def fit_out_of_fold(
    cells: np.ndarray,
    label: np.ndarray,
    block: np.ndarray,
) -> np.ndarray:
    """Each lead's (n,) expected excess win rate, learned from the other folds.

    A cell's score is the sum of label minus its block's win rate over its leads in the other folds,
    divided by their number plus `PRIOR_LEADS`: an average shrunk toward 0. Since no lead is scored
    by its own outcome, an id scores 0 for everybody; since the block's win rate is subtracted, so
    does a proxy for time.

    Args:
        cells: (n,) the cell that each lead's value falls into, from 0 on.
        label: (n,) 1 won, 0 lost.
        block: (n,) block of time, from 0 on.
    """
    block_n = np.bincount(block)
    block_won = np.bincount(block, weights=label)
    block_rate = block_won / np.maximum(block_n, 1)
    excess = label - block_rate[block]
    fold = assign_folds(len(cells))

    score = np.zeros(len(cells))
    for k in range(FOLDS):
        held_out = fold == k
        cell_score = _shrink_means(cells, excess, counted=~held_out)
        score[held_out] = cell_score[cells[held_out]]
    return score


def _shrink_means(
    cells: np.ndarray,
    excess: np.ndarray,
    *,
    counted: np.ndarray,
) -> np.ndarray:
    """The mean excess of each cell's counted leads, shrunk toward 0."""
    cell_count = int(cells.max(initial=-1)) + 1
    counted_cells = cells[counted]
    n = np.bincount(counted_cells, minlength=cell_count)
    total = np.bincount(counted_cells, weights=excess[counted], minlength=cell_count)
    return np.asarray(total / (n + PRIOR_LEADS))


def assign_folds(n: int) -> np.ndarray:
    """The fold (n,) of each lead: dealt in turn."""
    return np.arange(n) % FOLDS


def compute_auc_of_cells(
    cells: np.ndarray,
    label: np.ndarray,
    block: np.ndarray,
) -> AucInterval:
    """The out-of-fold AUC of cells (n,) alone, comparing leads of one block and one fold only.

    Across folds the comparison would be unfair: a lead's own outcome lowers the score that the
    other leads of its cell get, so a field without any signal would rank below 0.5.
    """
    score = fit_out_of_fold(cells, label, block)
    fold = assign_folds(len(cells))
    return compute_auc_within(score, label, block * FOLDS + fold)


def compute_auc_within(
    score: np.ndarray,
    label: np.ndarray,
    block: np.ndarray,
) -> AucInterval:
    """The AUC over all pairs of a won and a lost lead of the same block, with its 95% bounds.

    Blocks are weighted by their number of pairs. Whatever the distribution of scores, the variance
    of a block's AUC A is at most A (1 - A) / min(won, lost) (Birnbaum and Klose 1957). So A is
    bounded like a share of that many leads: over blocks with weights w, of (Σ w)² / Σ (w² /
    min(won, lost)) leads.
    """
    aucs = []
    pairs = []
    fewer = []
    for b in np.unique(block):
        in_block = block == b
        block_label = label[in_block]
        won = float(block_label.sum())
        lost = float(in_block.sum() - won)
        if won and lost:
            aucs.append(_compute_auc(score[in_block], block_label))
            pairs.append(won * lost)
            fewer.append(min(won, lost))
    if not aucs:
        return AucInterval(np.nan, np.nan, np.nan)

    weight = np.array(pairs)
    auc = np.average(aucs, weights=weight)
    summed_variance = (weight**2 / np.array(fewer)).sum()
    effective_n = weight.sum() ** 2 / summed_variance
    low, high = compute_bounds(auc, effective_n)
    return AucInterval(float(auc), float(low), float(high))


def _compute_auc(score: np.ndarray, label: np.ndarray) -> float:
    """Share of the pairs in which the won lead has the higher score.

    Ties count half (Mann and Whitney 1947).
    """
    _, rank = np.unique(score, return_inverse=True)
    won = np.bincount(rank, weights=label)
    lost = np.bincount(rank, weights=1 - label)

    lost_below = np.cumsum(lost) - lost
    right_pairs = won * (lost_below + lost / 2)
    pairs = won.sum() * lost.sum()
    return float(right_pairs.sum() / pairs)


def compute_rank_correlation(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Spearman's rank correlation r, and the end of its 95% interval that is nearer to 0.

    The interval is Fisher's, tanh(atanh r ± 1.96 · 1.06 / √(n - 3)), with the factor 1.06 for ranks
    (Fieller, Hartley and Pearson 1957). The nearer end has no sign, and is 0 if the interval holds
    0. Both are 0 below 10 leads.
    """
    n = len(x)
    x_rank = compute_ranks(x)
    y_rank = compute_ranks(y)
    if n < 10 or x_rank.std() == 0 or y_rank.std() == 0:
        return 0.0, 0.0

    correlations = np.corrcoef(x_rank, y_rank)
    r = float(correlations[0, 1])
    strength = np.clip(abs(r), 0, 1 - 1e-12)
    margin = Z * 1.06 / np.sqrt(n - 3)
    nearer = max(np.arctanh(strength) - margin, 0.0)
    return r, float(np.tanh(nearer))


def compute_ranks(x: np.ndarray) -> np.ndarray:
    """Mean ranks (n,) from 0.5 on; equal values share theirs."""
    _, place, n = np.unique(x, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(n) - n / 2
    return np.asarray(mean_rank[place])
