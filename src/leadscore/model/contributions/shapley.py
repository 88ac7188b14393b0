"""Contributions of many leads at once: from tables of each tree's paths, which prove equal to LightGBM's.

`paths` computes the same Shapley values some forty times as fast. A seeded sample of each large
batch is compared with LightGBM's own; if they differ by more than `TOLERANCE`, LightGBM explains
the whole batch. Of every other row the sum is compared with the log-odds; where it differs,
LightGBM explains that row.
"""

from __future__ import annotations

import math
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import lightgbm
import numpy as np

from leadscore.model.apply import Columns, WinModel
from leadscore.model.contributions.paths import TooDeepError, Tree, explain_rows, read_trees

FEW = 1_000  # rows that LightGBM explains in the time in which the trees are read
CHUNK = 25_000  # rows at most that are explained at once; with far fewer, two threads wait for each other
SIDE_BY_SIDE = 2  # chunks
LEAST_CHECKED = 50  # rows that are compared with LightGBM's contributions, which take it long
CHECKED_OF = 500  # or one of so many, if that is more
TOLERANCE = 1e-9  # log-odds
MODELS = 4  # whose trees are remembered: of now, of the list before, and of the challenger


def compute_contributions(
    model: WinModel,
    columns: Columns,
    for_trees: np.ndarray | None = None,
    log_odds: np.ndarray | None = None,
) -> np.ndarray:
    """Shapley values (n, features + 1) of the log-odds; each row adds up to its log-odds.

    The last column is the intercept. They are exact to `TOLERANCE`.

    Args:
        model: whose log-odds.
        columns: the features.
        for_trees: the columns as `WinModel.encode_for_trees` gives them, if they are encoded already.
        log_odds: (n,) as `WinModel.log_odds` gives them, if they are known already.
    """
    if for_trees is None:
        for_trees = model.encode_for_trees(columns)
    of_trees = None
    if model.booster is not None and len(for_trees) > FEW:
        of_trees = _explain_many(model, for_trees)
    contributions = model.contributions(columns, for_trees, of_trees)
    if of_trees is None:
        return contributions

    if log_odds is None:
        log_odds = model.log_odds(columns, for_trees)
    difference = contributions.sum(axis=1) - log_odds
    others = np.flatnonzero(~(np.abs(difference) <= TOLERANCE))
    if len(others):
        of_others = {name: values[others] for name, values in columns.items()}
        contributions[others] = model.contributions(of_others, for_trees[others])
    return contributions


def _explain_many(model: WinModel, encoded: np.ndarray) -> np.ndarray | None:
    """The trees' contributions (n, features + 1); None where LightGBM's must be taken."""
    booster = model.booster
    n = len(encoded)
    rng = np.random.default_rng(n)
    checked = rng.choice(n, max(LEAST_CHECKED, n // CHECKED_OF), replace=False)
    exact = np.asarray(booster.predict(encoded[checked], pred_contrib=True))
    try:
        trees = _read_trees_of(model.booster_text)
    except TooDeepError:
        return None

    contributions = np.empty((n, encoded.shape[1] + 1))
    _explain_in_chunks(trees, encoded, into=contributions[:, :-1])
    contributions[:, -1] = exact[0, -1]
    largest_difference = np.abs(contributions[checked] - exact).max()
    if not largest_difference <= TOLERANCE:  # so that NaN is refused as well
        warnings.warn(
            "the tables of the trees do not explain as LightGBM does, so LightGBM explains, slower",
            stacklevel=2,
        )
        return None
    return contributions


@lru_cache(MODELS)
def _read_trees_of(booster_text: str) -> list[Tree]:
    return read_trees(lightgbm.Booster(model_str=booster_text))


def _explain_in_chunks(trees: list[Tree], encoded: np.ndarray, *, into: np.ndarray) -> None:
    """Write the contributions (n, features) of all rows; each row's are the same in any chunk."""

    def explain(chunk: slice) -> None:
        into[chunk] = explain_rows(trees, encoded[chunk])

    rounds = math.ceil(len(encoded) / (SIDE_BY_SIDE * CHUNK))
    borders = np.linspace(0, len(encoded), rounds * SIDE_BY_SIDE + 1, dtype=int)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(explain, map(slice, borders[:-1], borders[1:])))
