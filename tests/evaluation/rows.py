"""Evaluated rows: random ones, by hand, and simulated leads."""

import numpy as np

from leadscore.evaluation.metrics import (
    EvaluationSet,
)


def make_rows(seed, *, n=400, leads=150, levels=None):
    rng = np.random.default_rng(seed)
    p = (
        rng.uniform(0.02, 0.98, n)
        if levels is None
        else rng.integers(1, levels + 1, n) / (levels + 1)
    )
    y = (rng.random(n) < p).astype(float)
    return EvaluationSet(
        p, y, rng.uniform(0.2, 5, n), np.array([f"lead {i}" for i in rng.integers(0, leads, n)])
    )


def as_arrays(*lists):
    return tuple(np.array(values, dtype=float) for values in lists)


def slow_bins(rows):
    """Ten bins: the k-th holds the rows whose rank r has k n / 10 <= r < (k + 1) n / 10."""
    n = len(rows.label)
    ranked = sorted(range(n), key=lambda i: rows.probability[i])
    return [
        [i for r, i in enumerate(ranked) if 10 * r >= k * n and 10 * r < (k + 1) * n]
        for k in range(10)
    ]


def simulate(seed, *, n=700):
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 4, n)
    return EvaluationSet(p, (rng.random(n) < p).astype(float), np.ones(n), np.arange(n).astype(str))
