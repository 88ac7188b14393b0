"""Shapley values from tables of paths, beside LightGBM's own and beside their definition."""

from itertools import combinations
from math import factorial

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.model.contributions.paths import _table, explain_rows, read_trees

ROWS, NUMBERS, LEVELS = 600, 6, 7


def make_rows(seed):
    """Numbers with zeros and gaps, and a category with codes that no tree has seen."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(ROWS, NUMBERS)).round(1)
    numbers[rng.random(numbers.shape) < 0.2] = 0.0
    codes = rng.integers(0, LEVELS, (ROWS, 1)).astype(float)
    rows = np.column_stack([numbers, codes])
    rows[rng.random(rows.shape) < 0.15] = np.nan
    return rows


def fit(seed, **params):
    rows = make_rows(seed)
    known = np.nan_to_num(rows)
    label = (known[:, 0] * known[:, 1] + known[:, 2] + (known[:, -1] % 3 == 1) > 0.3).astype(int)
    data = lightgbm.Dataset(rows, label, categorical_feature=[NUMBERS])
    plain = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}
    plain |= {"min_data_per_group": 5, "cat_smooth": 1.0, "seed": seed}
    return lightgbm.train(plain | params, data, 12)


@pytest.mark.parametrize("leaves", [2, 6, 25, 70])
@pytest.mark.parametrize(
    "missing", [{}, {"zero_as_missing": True}, {"use_missing": False}], ids=["NaN", "zero", "none"]
)
def test_contributions_when_computed_path_by_path_then_are_those_of_lightgbm(missing, leaves):
    booster = fit(leaves, num_leaves=leaves, **missing)
    others = make_rows(99)
    others[:20, -1] = [-1.0, LEVELS + 5.0, 1e9, 2.0] * 5
    exact = booster.predict(others, pred_contrib=True)
    found = explain_rows(read_trees(booster), others)
    np.testing.assert_allclose(found, exact[:, :-1], atol=1e-12)


def test_contributions_when_a_tree_has_no_split_then_there_are_none():
    rows = make_rows(1)
    booster = lightgbm.train(
        {"objective": "binary", "verbose": -1}, lightgbm.Dataset(rows, np.ones(ROWS)), 3
    )
    assert not explain_rows(read_trees(booster), rows).any()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), st.floats(-3, 3))
def test_table_of_a_leaf_when_compared_with_the_definition_then_is_the_mean_over_all_orders(
    shares, value
):
    u = len(shares)
    table = _table(np.array(shares), value)
    for pattern in range(2**u):
        meets = [pattern >> k & 1 for k in range(u)]
        expected = [shapley_by_definition(k, shares, meets, value) for k in range(u)]
        np.testing.assert_allclose(table[:, pattern], expected, atol=1e-12)


def shapley_by_definition(feature, shares, meets, value):
    """The mean of what knowing the feature adds, over all sets of others, by their weight."""
    u = len(shares)
    others = [k for k in range(u) if k != feature]
    total = 0.0
    for size in range(u):
        weight = factorial(size) * factorial(u - size - 1) / factorial(u)
        for known in combinations(others, size):
            with_it = worth({*known, feature}, shares, meets)
            total += weight * (with_it - worth(set(known), shares, meets))
    return value * total


def worth(known, shares, meets):
    return np.prod([meets[k] if k in known else shares[k] for k in range(len(shares))])
