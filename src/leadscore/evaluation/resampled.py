"""Every metric under many weightings of the same rows, which are sorted by probability only once.

A resample of leads changes the weights and nothing else. So the order, the ties and the bins are worked out before
the first resample, and each costs a few passes over the rows. The functions of `evaluate` say what the metrics are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

BINS = 10
TOP_SHARE = 0.10
TINY = 1e-300


def draw_leads(lead_id: np.ndarray, *, seed: int, draws: int) -> Iterator[np.ndarray]:
    """How often each row's lead comes up, int16 (n,), in one resample of the leads after the other."""
    codes, leads = pd.factorize(lead_id, sort=True)
    rng = np.random.default_rng([seed, 0])
    n = len(leads)
    for _ in range(draws):
        yield np.bincount(rng.integers(0, n, n), minlength=n)[codes].astype(np.int16)


def sort_rows(
    probability: np.ndarray, label: np.ndarray, weight: np.ndarray, unit: np.ndarray
) -> np.ndarray:
    """The places (n,) of rows by rising probability; equal ones in an order that does not depend on that of the rows.

    Args:
        probability: (n,).
        label: (n,) 0 or 1.
        weight: (n,).
        unit: (n,) whose row it is.
    """
    codes = pd.factorize(unit, sort=True)[0]
    return np.lexsort((codes, label, weight, probability))


class SortedRows:
    """Rows in the order of `sort_rows`.

    Args:
        probability: (n,) rising, at least one.
        label: (n,) 0 or 1.
    """

    def __init__(self, probability: np.ndarray, label: np.ndarray) -> None:
        self.p, self.y = probability, label
        self.other = 1 - label
        n = len(probability)
        self.starts = np.flatnonzero(np.r_[True, self.p[1:] > self.p[:-1]])
        self.tie_sizes = np.diff(np.r_[self.starts, n])
        self.has_ties = len(self.starts) < n
        bins = np.arange(n) * BINS // n
        self.bin_starts = np.flatnonzero(np.r_[True, bins[1:] > bins[:-1]])
        given = np.clip(np.where(label == 1, probability, 1 - probability), 1e-15, 1 - 1e-15)
        self.log_loss = -np.log(given)
        self.off = probability - label
        self.squared = self.off**2

    def metrics(self, weight: np.ndarray) -> dict[str, float]:
        """All metrics of `evaluate.METRICS` by name, with these weights (n,)."""
        total = weight.sum()
        won, lost = self._by_tie(weight * self.y), self._by_tie(weight * self.other)
        capture = capture_of_ties(won[::-1], lost[::-1])
        return {
            "pooled_auc": auc_of_ties(won, lost),
            "average_precision": average_precision_of_ties(won[::-1], lost[::-1]),
            "log_loss": float(weight @ self.log_loss / total),
            "brier": float(weight @ self.squared / total),
            "bias": float(weight @ self.off / total),
            "lift_10": capture / TOP_SHARE,
            "capture_10": capture,
        }

    def binned_error(self, label: np.ndarray, weight: np.ndarray) -> float:
        """`evaluate.compute_binned_error` with these labels and weights (n,)."""
        rate = label
        if self.has_ties:  # rows of one probability share their win rate, in whatever order
            total = self._by_tie(weight)
            shared = self._by_tie(weight * label) / np.where(total > 0, total, 1)
            rate = np.repeat(shared, self.tie_sizes)
        gap = weight * (self.p - rate)
        return float(np.abs(np.add.reduceat(gap, self.bin_starts)).sum() / weight.sum())

    def _by_tie(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, self.starts) if self.has_ties else values


def auc_of_ties(won: np.ndarray, lost: np.ndarray) -> float:
    """From the weights of won and other rows at each probability, rising."""
    below = np.cumsum(lost) - lost
    pairs = won.sum() * lost.sum()
    return float((won * (below + lost / 2)).sum() / pairs) if pairs > 0 else float("nan")


def average_precision_of_ties(won: np.ndarray, lost: np.ndarray) -> float:
    """From the weights of won and other rows at each probability, falling."""
    precision = np.cumsum(won) / np.maximum(np.cumsum(won + lost), TINY)
    return float((won * precision).sum() / won.sum()) if won.sum() > 0 else float("nan")


def capture_of_ties(won: np.ndarray, lost: np.ndarray) -> float:
    """From the weights of won and other rows at each probability, falling."""
    total = won + lost
    left = np.clip(TOP_SHARE * total.sum() - (np.cumsum(total) - total), 0, total)
    return (
        float((won * left / np.maximum(total, TINY)).sum() / won.sum())
        if won.sum() > 0
        else float("nan")
    )
