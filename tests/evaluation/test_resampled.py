"""Metrics of rows sorted once, against the plain definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.evaluation.intervals import compute_metrics
from leadscore.evaluation.metrics import METRICS, EvaluationSet, compute_binned_error
from leadscore.evaluation.resampled import SortedRows, sort_rows


@given(n=st.integers(1, 60), levels=st.sampled_from([1, 2, 7, 10_000]), seed=st.integers(0, 10_000))
def test_metrics_when_rows_are_sorted_once_then_are_those_of_the_plain_definitions(n, levels, seed):
    rng = np.random.default_rng(seed)
    p = rng.integers(0, levels, n) / levels
    y = (rng.random(n) < p).astype(float)
    weight, unit = rng.choice([0.5, 1.0, 3.0], n), rng.integers(0, 5, n)
    order = sort_rows(p, y, weight, unit)
    p, y, weight = p[order], y[order], weight[order]
    rows = SortedRows(p, y)
    again = weight * rng.integers(0, 3, n)
    for w in (weight, again if again.sum() > 0 else weight):
        found = rows.metrics(w)
        assert set(found) == set(METRICS)
        for name, metric in METRICS.items():
            assert found[name] == pytest.approx(metric(p, y, w), abs=1e-12, nan_ok=True), name
    if (
        len(np.unique(p)) == n
    ):  # with ties the bins' borders depend on the order of equal probabilities
        assert rows.binned_error(y, weight) == pytest.approx(
            compute_binned_error(p, y, weight), abs=1e-12
        )


@given(seed=st.integers(0, 1_000), levels=st.sampled_from([3, 10_000]))
def test_estimates_when_rows_come_in_another_order_then_are_the_same(seed, levels):
    rng = np.random.default_rng(seed)
    n = 40
    p = rng.integers(0, levels, n) / levels
    judged = EvaluationSet(
        p, (rng.random(n) < 0.4).astype(float), rng.choice([1.0, 2.0], n), rng.integers(0, 20, n)
    )
    shuffled = judged.take(rng.permutation(n))
    ours, theirs = (compute_metrics(each, seed=1, draws=5) for each in (judged, shuffled))
    for name in ours:
        assert vars(ours[name]) == pytest.approx(vars(theirs[name]), abs=1e-12, nan_ok=True), name
