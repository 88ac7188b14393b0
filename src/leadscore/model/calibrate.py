"""From raw log-odds to probabilities: calibrators fitted on out-of-time predictions, kept as a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

KINDS = ("none", "sigmoid", "isotonic")  # from the simplest on


def fit_calibrator(kind: str, raw: np.ndarray, label: np.ndarray, weight: np.ndarray, *, leads: int) -> dict[str, Any]:
    """A calibrator as JSON for `apply.calibrate`; it never falls as raw grows.

    Args:
        kind: one of `KINDS`. "sigmoid" is Platt's scaling (1999), "isotonic" Zadrozny and Elkan's (2002).
        raw: (n,) log-odds that the scorer gave to rows it had not seen; ignored by "none".
        label: (n,) 0 or 1.
        weight: (n,) positive.
        leads: how many different leads the rows are of; the probability stays within [1/(2 leads), 1 - 1/(2 leads)],
            since so many leads cannot show that something never, or always, happens.
    """
    bounds = {"low": 1 / (2 * leads), "high": 1 - 1 / (2 * leads)}
    if kind == "none":
        return {"kind": "none", **bounds}
    if kind == "sigmoid":
        slope = intercept = 0.0
        if len(np.unique(label)) == 2:
            fit = LogisticRegression(C=np.inf).fit(raw[:, None], label, sample_weight=weight)
            slope, intercept = float(fit.coef_[0, 0]), float(fit.intercept_[0])
        if slope <= 0:  # an upside-down scorer, or outcomes all alike: nothing but the base rate is left
            base = np.clip(np.average(label, weights=weight), bounds["low"], bounds["high"])
            slope, intercept = 0.0, float(np.log(base / (1 - base)))
        return {"kind": "sigmoid", "slope": slope, "intercept": intercept, **bounds}
    if kind == "isotonic":
        steps = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(raw, label, sample_weight=weight)
        knots = {"raw": steps.X_thresholds_.tolist(), "probability": steps.y_thresholds_.tolist()}
        return {"kind": "isotonic", **knots, **bounds}
    raise ValueError(f"unknown calibrator {kind!r}, known are {KINDS}")
