"""From raw log-odds to probabilities: calibrators fitted on out-of-time predictions, kept as a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from leadscore.model.apply import softplus
from leadscore.model.calibration.venn_abers import fit_venn_abers
from leadscore.model.threads import one_thread

KINDS = ("none", "sigmoid", "beta", "isotonic", "venn_abers")  # from the simplest on


def fit_calibrator(
    kind: str, log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray, *, leads: int
) -> dict[str, Any]:
    """A calibrator as JSON for `apply.calibrate`; it never falls as raw grows.

    Args:
        kind: one of `KINDS`. "sigmoid" is Platt's scaling (1999), "beta" Kull, Silva Filho and Flach's (2017),
            "isotonic" Zadrozny and Elkan's (2002), "venn_abers" Vovk and Petej's (2014).
        log_odds: (n,) log-odds that the scorer gave to rows it had not seen; ignored by "none".
        label: (n,) 0 or 1.
        weight: (n,) positive.
        leads: how many different leads the rows are of; the probability stays within [1/(2 leads), 1 - 1/(2 leads)],
            since so many leads cannot show that something never, or always, happens.
    """
    bounds = {"low": 1 / (2 * leads), "high": 1 - 1 / (2 * leads)}
    if kind == "none":
        return {"kind": "none", **bounds}
    if kind not in FITS:
        raise ValueError(f"unknown calibrator {kind!r}, known are {KINDS}")
    return {"kind": kind, **FITS[kind](log_odds, label, weight), **bounds}


def _fit_sigmoid(log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    return _fit_rising({"slope": log_odds}, label, weight)


def _fit_beta(log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    """Log-odds = a log(p) - b log(1 - p) + intercept, of p = sigmoid(raw); neither a nor b is below 0."""
    return _fit_rising({"a": -softplus(-log_odds), "b": softplus(log_odds)}, label, weight)


def _fit_rising(
    terms: dict[str, np.ndarray], label: np.ndarray, weight: np.ndarray
) -> dict[str, Any]:
    """A slope >= 0 for each rising term, and the intercept; falling ones are left out one by one, as in the paper."""
    kept = list(terms) if len(np.unique(label)) == 2 else []
    while kept:
        fit = LogisticRegression(C=np.inf, tol=1e-6, max_iter=1000)
        with one_thread():  # threads cost more than they bring, and differ in the last bits
            fit.fit(np.column_stack([terms[name] for name in kept]), label, sample_weight=weight)
        slopes = dict(zip(kept, fit.coef_[0].tolist(), strict=True))
        falling = [name for name in kept if slopes[name] <= 0]
        if not falling:
            return {name: slopes.get(name, 0.0) for name in terms} | {
                "intercept": float(fit.intercept_[0])
            }
        kept.remove(falling[0])
    base = np.clip(
        np.average(label, weights=weight), 1e-9, 1 - 1e-9
    )  # an upside-down scorer, or outcomes all alike
    return dict.fromkeys(terms, 0.0) | {"intercept": float(np.log(base / (1 - base)))}


def _fit_isotonic(log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    steps = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(
        log_odds, label, sample_weight=weight
    )
    return {"raw": steps.X_thresholds_.tolist(), "probability": steps.y_thresholds_.tolist()}


FITS = {
    "sigmoid": _fit_sigmoid,
    "beta": _fit_beta,
    "isotonic": _fit_isotonic,
    "venn_abers": fit_venn_abers,
}
