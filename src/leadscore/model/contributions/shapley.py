"""Contributions of many leads at once: LightGBM's own for few, woodelf's fast ones for many, if they prove the same.

woodelf (Wettenstein 2025) computes the same path-dependent Shapley values some seven times as fast, to some 1e-6. A
seeded sample of each large batch is compared with LightGBM's own; if they differ by more than `TOLERANCE`, or woodelf
fails, LightGBM explains all of it. Of every other row the sum is compared with raw; where it differs (woodelf reads a
threshold of 1e-35 less exactly than LightGBM) LightGBM explains that row.
"""

from __future__ import annotations

import contextlib
import io
import warnings

import lightgbm
import numpy as np
import pandas as pd

from leadscore.model.apply import Columns, WinModel

FEW = 5_000  # rows that LightGBM explains in a second or two
CHUNK, CHECKED, TOLERANCE = 50_000, 200, 1e-4  # log-odds


def compute_contributions(model: WinModel, columns: Columns) -> np.ndarray:
    """Shapley values of raw (n, features + 1); the last column is the base, and each row adds up to raw.

    woodelf reads no splits by levels, so trees that have such are explained by LightGBM.

    Up to `FEW` rows, and of linear scorers, to 1e-9 log-odds; of more to `TOLERANCE`.
    """
    n = len(next(iter(columns.values())))
    if model.booster is None or n <= FEW or model.levels:
        return model.contributions(columns)
    return model.contributions(
        columns, of_trees=_explain_many(model.booster, model.encode_for_trees(columns))
    )


def _explain_many(booster: lightgbm.Booster, encoded: np.ndarray) -> np.ndarray | None:
    """The booster's contributions (n, features + 1), or None if woodelf's are not proven to be LightGBM's."""
    rows = np.random.default_rng(len(encoded)).choice(len(encoded), CHECKED, replace=False)
    exact = np.asarray(booster.predict(encoded[rows], pred_contrib=True))
    names, silent = booster.feature_name(), io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(silent),
            contextlib.redirect_stderr(silent),
        ):
            warnings.simplefilter("ignore")
            from woodelf import WoodelfExplainer

            explainer = WoodelfExplainer(booster)
            parts = [
                np.asarray(
                    explainer.shap_values(
                        pd.DataFrame(encoded[at : at + CHUNK], columns=names), verbose=False
                    )
                )
                for at in range(0, len(encoded), CHUNK)
            ]
    except Exception as e:  # foreign code of one author: whatever happens there, LightGBM's own answer is to be had
        warnings.warn(
            f"woodelf failed ({type(e).__name__}: {e}), so LightGBM explains, slower", stacklevel=2
        )
        return None
    found = np.column_stack([np.vstack(parts), np.full(len(encoded), exact[0, -1])])
    if not np.abs(found[rows] - exact).max() <= TOLERANCE:  # so that NaN is refused as well
        warnings.warn(
            "woodelf does not explain as LightGBM does, so LightGBM explains, slower", stacklevel=2
        )
        return None
    off = ~(
        np.abs(found.sum(axis=1) - np.asarray(booster.predict(encoded, raw_score=True)))
        <= TOLERANCE
    )
    if off.any():
        found[off] = booster.predict(encoded[off], pred_contrib=True)
    return found
