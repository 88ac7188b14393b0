"""Contributions of many leads at once: woodelf's fast ones where they prove equal to LightGBM's.

woodelf (Wettenstein 2025) computes the same path-dependent Shapley values about seven times as
fast, to about 1e-6. A seeded sample of each large batch is compared with LightGBM's own; if they
differ by more than `TOLERANCE`, or woodelf fails, LightGBM explains the whole batch. Of every other
row the sum is compared with the log-odds; where it differs (woodelf reads a threshold of 1e-35 less
exactly than LightGBM) LightGBM explains that row.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import lightgbm
import numpy as np
import pandas as pd

from leadscore.model.apply import Columns, WinModel

FEW = 5_000  # rows that LightGBM explains in a second or two
CHUNK = 200_000  # rows that woodelf explains at once; it reads the trees anew for every chunk
SIDE_BY_SIDE = 2  # chunks
CHECKED = 200  # rows that are compared with LightGBM's contributions
TOLERANCE = 1e-4  # log-odds


def compute_contributions(model: WinModel, columns: Columns) -> np.ndarray:
    """Shapley values (n, features + 1) of the log-odds; each row adds up to its log-odds.

    The last column is the intercept. Up to `FEW` rows, and for linear scorers, they are exact to
    1e-9 log-odds, else to `TOLERANCE`. woodelf reads no splits by levels, so trees that have such
    are explained by LightGBM.
    """
    n = len(next(iter(columns.values())))
    if model.booster is None or n <= FEW or model.levels:
        return model.contributions(columns)

    of_trees = _explain_many(model.booster, model.encode_for_trees(columns))
    return model.contributions(columns, of_trees=of_trees)


def _explain_many(booster: lightgbm.Booster, encoded: np.ndarray) -> np.ndarray | None:
    """The booster's contributions (n, features + 1); None if woodelf's differ from LightGBM's."""
    rng = np.random.default_rng(len(encoded))
    checked = rng.choice(len(encoded), CHECKED, replace=False)
    of_booster = booster.predict(encoded[checked], pred_contrib=True)
    exact = np.asarray(of_booster)

    try:
        of_features = _explain_with_woodelf(booster, encoded)
    except Exception as e:  # whatever goes wrong in foreign code, LightGBM has the answer
        _warn(f"woodelf failed ({type(e).__name__}: {e})")
        return None

    intercept = np.full(len(encoded), exact[0, -1])
    contributions = np.column_stack([of_features, intercept])
    largest_difference = np.abs(contributions[checked] - exact).max()
    if not largest_difference <= TOLERANCE:  # so that NaN is refused as well
        _warn("woodelf does not explain as LightGBM does")
        return None

    log_odds = np.asarray(booster.predict(encoded, raw_score=True))
    difference = contributions.sum(axis=1) - log_odds
    adds_up = np.abs(difference) <= TOLERANCE
    if not adds_up.all():
        others = encoded[~adds_up]
        contributions[~adds_up] = booster.predict(others, pred_contrib=True)
    return contributions


def _explain_with_woodelf(booster: lightgbm.Booster, encoded: np.ndarray) -> np.ndarray:
    """Woodelf's contributions (n, features), without what it prints and warns of."""
    silent = io.StringIO()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(silent),
        contextlib.redirect_stderr(silent),
    ):
        warnings.simplefilter("ignore")
        chunks = np.array_split(encoded, max(SIDE_BY_SIDE, -(-len(encoded) // CHUNK)))
        explain = partial(_explain_chunk, booster)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            parts = list(pool.map(explain, chunks))
    return np.vstack(parts)


def _explain_chunk(booster: lightgbm.Booster, encoded: np.ndarray) -> np.ndarray:
    """Woodelf's contributions (m, features) of some rows; each row's are the same in any chunk."""
    from woodelf import WoodelfExplainer

    rows = pd.DataFrame(encoded, columns=booster.feature_name())
    values = WoodelfExplainer(booster).shap_values(rows, verbose=False)
    return np.asarray(values)


def _warn(problem: str) -> None:
    warnings.warn(f"{problem}, so LightGBM explains, slower", stacklevel=3)
