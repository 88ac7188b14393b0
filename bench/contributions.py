"""Contributions from tables of paths beside LightGBM's own, in processor time for each lead, and how far they differ.

The rows are drawn: counts, days, shares and two categories, a tenth of them missing.
"""

from __future__ import annotations

import time

import lightgbm
import numpy as np

from company import SIZES, Size
from leadscore.model.contributions.paths import explain_rows, read_trees
from leadscore.model.contributions.shapley import CHUNK

ROWS, BY_LIGHTGBM = 16_384, 400
CATEGORIES = [98, 99]


def main() -> None:
    """Fit a model of each size and explain the rows both ways."""
    rows, label = _draw_rows()
    for name, size in SIZES.items():
        print(f"{name} ({size}): {_compare(_fit(rows, label, size), rows)}")


def _compare(booster: lightgbm.Booster, rows: np.ndarray) -> str:
    """What a lead takes both ways, in words."""
    before = time.process_time()
    trees = read_trees(booster)
    reading = time.process_time() - before

    before = time.process_time()
    added = [explain_rows(trees, rows[at : at + CHUNK]) for at in range(0, ROWS, CHUNK)]
    ours = (time.process_time() - before) / ROWS

    before = time.process_time()
    exact = np.asarray(booster.predict(rows[:BY_LIGHTGBM], pred_contrib=True))
    theirs = (time.process_time() - before) / BY_LIGHTGBM

    difference = np.abs(added[0][:BY_LIGHTGBM] - exact[:, :-1]).max()
    return (
        f"{1e6 * ours:.0f} microseconds a lead, after {reading:.1f} s of reading; LightGBM "
        f"{1e6 * theirs:.0f}: {theirs / ours:.0f} times; largest difference {difference:.0e}"
    )


def _draw_rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    counts = rng.poisson(2, (ROWS, 40)).astype(float)
    days = rng.exponential(20, (ROWS, 40))
    shares = rng.random((ROWS, 18))
    codes = rng.integers(0, 12, (ROWS, 2)).astype(float)
    rows = np.column_stack([counts, days, shares, codes])
    odds = counts[:, 0] + days[:, 1] / 20 + 2 * shares[:, 1] + 2 * (codes[:, 0] % 3 == 1)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows, (odds + rng.normal(size=ROWS) > 4.5).astype(int)


def _fit(rows: np.ndarray, label: np.ndarray, size: Size) -> lightgbm.Booster:
    params = {
        "objective": "binary",
        "num_leaves": size.leaves,
        "learning_rate": 0.05,
        "verbose": -1,
    }
    data = lightgbm.Dataset(rows, label, categorical_feature=CATEGORIES)
    text = lightgbm.train(params, data, size.trees).model_to_string()
    return lightgbm.Booster(model_str=text)


if __name__ == "__main__":
    main()
