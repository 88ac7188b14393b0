"""Calibrators: from log-odds to probabilities, fitted on held-out predictions and stored as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from leadscore.model.apply import logit, softplus
from leadscore.model.calibration.venn_abers import fit_venn_abers
from leadscore.model.threads import one_thread

KINDS = ("none", "sigmoid", "beta", "isotonic", "venn_abers")  # simplest first
LEAST_RATE = 1e-9  # so that the log-odds of a win rate of 0 or 1 stay finite


def fit_calibrator(
    kind: str,
    log_odds: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    leads: int,
) -> dict[str, Any]:
    """A calibrator as JSON for `apply.calibrate`; its probability never falls as log-odds rise.

    Args:
        kind: one of `KINDS`. "sigmoid" is Platt scaling (1999), "beta" is from Kull, Silva Filho
            and Flach (2017), "isotonic" from Zadrozny and Elkan (2002), "venn_abers" from Vovk
            and Petej (2014). "none" ignores the data.
        log_odds: (n,) held-out log-odds of the scorer.
        label: (n,) 0 or 1.
        weight: (n,) positive.
        leads: number of distinct leads behind the rows. Probabilities stay within
            [1 / (2 leads), 1 - 1 / (2 leads)]: so many leads cannot show that something never,
            or always, happens.

    Raises:
        ValueError: the kind is unknown.
    """
    least = 1 / (2 * leads)
    bounds = {"low": least, "high": 1 - least}
    if kind == "none":
        return {"kind": "none", **bounds}
    if kind not in FITS:
        raise ValueError(f"unknown calibrator {kind!r}, known are {KINDS}")

    parameters = FITS[kind](log_odds, label, weight)
    return {"kind": kind, **parameters, **bounds}


def _fit_sigmoid(
    log_odds: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
) -> dict[str, Any]:
    return _fit_rising({"slope": log_odds}, label, weight)


def _fit_beta(
    log_odds: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
) -> dict[str, Any]:
    """Calibrated log-odds = a log(p) - b log(1 - p) + intercept, p = sigmoid(log_odds), a, b >= 0."""
    log_p = -softplus(-log_odds)
    minus_log_rest = softplus(log_odds)
    return _fit_rising({"a": log_p, "b": minus_log_rest}, label, weight)


def _fit_rising(
    terms: dict[str, np.ndarray],
    label: np.ndarray,
    weight: np.ndarray,
) -> dict[str, Any]:
    """Logistic regression on rising terms: a slope of at least 0 for each, and the intercept.

    A term with a negative slope is dropped and the others are fitted again (Kull et al. 2017).
    """
    has_both_outcomes = len(np.unique(label)) == 2
    remaining = list(terms) if has_both_outcomes else []

    while remaining:
        values = np.column_stack([terms[name] for name in remaining])
        regression = LogisticRegression(C=np.inf, tol=1e-6, max_iter=1000)
        with one_thread():  # more threads are slower here, and change the last bits
            regression.fit(values, label, sample_weight=weight)

        coefficients = regression.coef_[0].tolist()
        slopes = dict(zip(remaining, coefficients, strict=True))
        falling = [name for name in remaining if slopes[name] <= 0]
        if not falling:
            intercept = float(regression.intercept_[0])
            all_slopes = {name: slopes.get(name, 0.0) for name in terms}
            return all_slopes | {"intercept": intercept}
        remaining.remove(falling[0])

    # One outcome only, or a scorer that ranks upside down: all that is left is the win rate.
    win_rate = np.average(label, weights=weight)
    win_rate = np.clip(win_rate, LEAST_RATE, 1 - LEAST_RATE)
    intercept = float(logit(win_rate))
    return dict.fromkeys(terms, 0.0) | {"intercept": intercept}


def _fit_isotonic(
    log_odds: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
) -> dict[str, Any]:
    regression = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    regression.fit(log_odds, label, sample_weight=weight)
    return {
        "raw": regression.X_thresholds_.tolist(),
        "probability": regression.y_thresholds_.tolist(),
    }


FITS = {
    "sigmoid": _fit_sigmoid,
    "beta": _fit_beta,
    "isotonic": _fit_isotonic,
    "venn_abers": fit_venn_abers,
}
