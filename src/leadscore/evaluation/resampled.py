"""Every metric under many weightings of the same rows, which are sorted by probability only once.

A resample of leads changes the weights and nothing else. So the order, the ties and the bins are
worked out before the first resample, and each costs a few passes over the rows. `metrics.py`
defines the metrics.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

BINS = 10
TOP_SHARE = 0.10
TINY = 1e-300  # instead of dividing by 0

DRAWS = 300
MANY_ROWS = 100_000  # intervals of more rows are narrow, and a draw takes long
DRAWS_OF_MANY = 100


def draw_leads(
    lead_id: np.ndarray,
    *,
    seed: int,
    draws: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield how often each row's lead is drawn, int16 (n,), for one resample after the other.

    By default there are as many resamples as suit the number of rows.
    """
    if draws is None:
        draws = DRAWS if len(lead_id) <= MANY_ROWS else DRAWS_OF_MANY
    codes, leads = pd.factorize(lead_id, sort=True)
    rng = np.random.default_rng([seed, 0])
    n = len(leads)
    for _ in range(draws):
        drawn = rng.integers(0, n, n)
        count = np.bincount(drawn, minlength=n)
        yield count[codes].astype(np.int16)


def sort_rows(
    probability: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    unit: np.ndarray,
) -> np.ndarray:
    """The places (n,) of rows by rising probability, whatever the order they come in.

    Args:
        probability: (n,).
        label: (n,) 0 or 1.
        weight: (n,).
        unit: (n,) the lead or group of a row.
    """
    codes, _ = pd.factorize(unit, sort=True)
    return np.lexsort((codes, label, weight, probability))


class SortedRows:
    """Rows in the order of `sort_rows`, ready for any weights.

    Args:
        probability: (n,) rising, at least one.
        label: (n,) 0 or 1.
    """

    def __init__(self, probability: np.ndarray, label: np.ndarray) -> None:
        self.p = probability
        self.won = label
        self.lost = 1 - label

        n = len(probability)
        self.starts = _find_starts(probability)
        ends = np.append(self.starts, n)
        self.tie_sizes = np.diff(ends)
        self.has_ties = len(self.starts) < n
        bins = np.arange(n) * BINS // n
        self.bin_starts = _find_starts(bins)

        given = np.where(label == 1, probability, 1 - probability)
        bounded = np.clip(given, 1e-15, 1 - 1e-15)
        self.log_loss = -np.log(bounded)
        self.error = probability - label
        self.squared = self.error**2

    def metrics(self, weight: np.ndarray) -> dict[str, float]:
        """All metrics of `metrics.METRICS` by name, with these weights (n,)."""
        total = weight.sum()
        won = self._by_tie(weight * self.won)
        lost = self._by_tie(weight * self.lost)
        won_first = won[::-1]
        lost_first = lost[::-1]
        capture = capture_of_ties(won_first, lost_first)
        return {
            "pooled_auc": auc_of_ties(won, lost),
            "average_precision": average_precision_of_ties(won_first, lost_first),
            "log_loss": float(weight @ self.log_loss / total),
            "brier": float(weight @ self.squared / total),
            "bias": float(weight @ self.error / total),
            "lift_10": capture / TOP_SHARE,
            "capture_10": capture,
        }

    def binned_error(self, label: np.ndarray, weight: np.ndarray) -> float:
        """`metrics.compute_binned_error` with these labels and weights (n,)."""
        rate = self._share_rates(label, weight) if self.has_ties else label
        of_row = weight * (self.p - rate)
        gap = np.add.reduceat(of_row, self.bin_starts)
        size = np.abs(gap).sum()
        return float(size / weight.sum())

    def _share_rates(self, label: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The win rate (n,) of the rows of the same probability."""
        total = self._by_tie(weight)
        divisor = np.where(total > 0, total, 1)
        rate = self._by_tie(weight * label) / divisor
        return np.repeat(rate, self.tie_sizes)

    def _by_tie(self, values: np.ndarray) -> np.ndarray:
        if not self.has_ties:
            return values
        return np.add.reduceat(values, self.starts)


def _find_starts(rising: np.ndarray) -> np.ndarray:
    """Where each distinct value begins among rising ones."""
    is_new = rising[1:] > rising[:-1]
    return np.flatnonzero(np.append(True, is_new))


def auc_of_ties(won: np.ndarray, lost: np.ndarray) -> float:
    """The AUC from the weights of won and other rows at each probability, rising."""
    pairs = won.sum() * lost.sum()
    if pairs <= 0:
        return float("nan")
    below = np.cumsum(lost) - lost
    ordered_pairs = won * (below + lost / 2)
    return float(ordered_pairs.sum() / pairs)


def average_precision_of_ties(won: np.ndarray, lost: np.ndarray) -> float:
    """The average precision from the weights of won and other rows at each probability, falling."""
    if won.sum() <= 0:
        return float("nan")
    listed = np.cumsum(won + lost)
    precision = np.cumsum(won) / np.maximum(listed, TINY)
    gained = (won * precision).sum()
    return float(gained / won.sum())


def capture_of_ties(won: np.ndarray, lost: np.ndarray) -> float:
    """The share of wins in the first 10%, from the weights at each probability, falling."""
    if won.sum() <= 0:
        return float("nan")
    total = won + lost
    before = np.cumsum(total) - total
    wanted = TOP_SHARE * total.sum()
    taken = np.clip(wanted - before, 0, total)
    won_taken = won * taken / np.maximum(total, TINY)
    return float(won_taken.sum() / won.sum())
