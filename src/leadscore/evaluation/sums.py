"""Weighted means, and sums of values by the place of their row."""

from __future__ import annotations

import numpy as np


def sum_by(at: np.ndarray, values: np.ndarray, *, places: int) -> np.ndarray:
    """The sum (places,) of the values (n,) at each place; 0 where there is none.

    >>> sum_by(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), places=3)
    array([1., 0., 5.])
    """
    return np.bincount(at, weights=values, minlength=places)


def weighted_mean(values: np.ndarray, weight: np.ndarray) -> float:
    """The weighted mean of values (n,)."""
    return float(np.average(values, weights=weight))
