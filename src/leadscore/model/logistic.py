"""Logistic regression whose prior is the scorecard: the fewer leads have closed, the nearer to it.

Every slope, in units of its column's standard deviation, has a normal prior around the scorecard's own slope, and so
has the base; with no rows at all the fit is the scorecard. The more features there are, the less each is free to move,
so that raw, all in all, is. Where a feature has a direction its slope has that sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from leadscore.features.feature import Feature
from leadscore.model.apply import shape, sigmoid, softplus
from leadscore.model.linear import Term, as_scorer, log_odds
from leadscore.model.scorecard import build_terms
from leadscore.sections import Scorecard

RAW_SPREAD = 1.2  # how far, in log-odds, all features together may well move raw away from the scorecard
BASE_SPREAD = 0.5  # and how far the base
TAIL = 0.005  # share of a column's values that are pulled in at either end
LEAST_SCALE = 1e-9
TINY = 1e-300
STOP = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-13, "gtol": 1e-7}


@dataclass(frozen=True)
class _Prior:
    """Of the base, the slope of each column and what it adds where it is unknown, (p,): mean, lowest and highest value.

    `scale` is the least that a column is taken to vary by: few leads may happen to be much alike.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray


def fit_logistic(
    encoded: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    leads: int,
    features: Sequence[Feature],
    scorecard: Scorecard,
    raw_spread: float = RAW_SPREAD,
) -> dict[str, Any]:
    """The scorer as JSON, drawn to the scorecard.

    Args:
        encoded: (n, features), as `encode_training` gives it.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        leads: how many different leads the rows are of. The evidence weighs as many rows as there are leads, since
            the rows of one lead share its fate.
        features: what the columns are.
        scorecard: the prior's points and base rate.
        raw_spread: standard deviation of raw under the prior, shared out evenly among the features' slopes.
    """
    base, terms = fit_terms(
        encoded, label, weight, leads=leads, prior=build_terms(features, scorecard),
        signs=[feature.direction for feature in features], base=log_odds(scorecard.base_rate), raw_spread=raw_spread,
    )  # fmt: skip
    return as_scorer("logistic", base, terms)


def fit_terms(
    encoded: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    leads: int,
    prior: Sequence[Term],
    signs: Sequence[int],
    base: float,
    raw_spread: float,
) -> tuple[float, list[Term]]:
    """Base and terms of the logistic regression that is drawn to those of `prior` and to `base`.

    Args as of `fit_logistic`; `signs` (p,) are the directions of the columns, 0 for none.
    """
    terms = [_set_limits(term, x) for term, x in zip(prior, encoded.T, strict=True)]
    shaped = np.column_stack([shape(vars(term), x) for term, x in zip(terms, encoded.T, strict=True)])
    weight = weight * leads / max(weight.sum(), TINY)
    centers = np.array([_mean(x, weight, otherwise=term.center) for x, term in zip(shaped.T, terms, strict=True)])
    unknown = np.isnan(shaped)
    share = weight @ unknown / max(weight.sum(), TINY)
    design = np.hstack([np.ones((len(shaped), 1)), np.where(unknown, 0.0, shaped - centers), unknown - share])
    spread = raw_spread / np.sqrt(len(terms))
    with threadpool_limits(1):  # sums of several threads differ in the last bits
        found = _minimise(design, label, weight, _build_prior(prior, centers, share, signs, base), spread=spread)
    slopes, missing = found[1 : len(terms) + 1], found[len(terms) + 1 :]
    learned = zip(terms, centers.tolist(), slopes.tolist(), missing.tolist(), strict=True)
    return float(found[0] - missing @ share), [replace(t, center=c, slope=s, missing=m) for t, c, s, m in learned]


def _set_limits(term: Term, values: np.ndarray) -> Term:
    """Limits at the tails of what was seen, unless the scorecard has set them."""
    known = values[~np.isnan(values)]
    if term.high > term.low or not len(known):
        return term
    low, high = np.quantile(known, [TAIL, 1 - TAIL], method="nearest")
    return replace(term, low=float(low), high=float(high))


def _mean(values: np.ndarray, weight: np.ndarray, *, otherwise: float) -> float:
    known = ~np.isnan(values) & (weight > 0)
    return float(np.average(values[known], weights=weight[known])) if known.any() else otherwise


def _build_prior(
    prior: Sequence[Term], centers: np.ndarray, share: np.ndarray, signs: Sequence[int], base: float
) -> _Prior:
    """The terms of `prior`, told around other centers than their own, and around the share of unknown values."""
    points, sign = np.array([term.slope for term in prior]), np.array(signs)
    moved = points * (centers - [term.center for term in prior])
    widths = [np.ptp(shape(vars(term), np.array([term.low, term.high]))) for term in prior]
    free = np.full(len(prior), np.inf)
    return _Prior(
        mean=np.r_[base + moved @ (1 - share), points, -moved],
        low=np.r_[-np.inf, np.where(sign > 0, 0.0, -np.inf), -free],
        high=np.r_[np.inf, np.where(sign < 0, 0.0, np.inf), free],
        scale=np.r_[1.0, np.array(widths) / np.sqrt(12), np.full(len(prior), 0.5)],  # of evenly spread values; a coin's
    )


def _minimise(design: np.ndarray, label: np.ndarray, weight: np.ndarray, prior: _Prior, *, spread: float) -> np.ndarray:
    """The most probable parameters (p,): weighted log loss + sum of (theta - mean)^2 / (2 spread^2), within bounds.

    A column's spread is of its standardised values; one that never varies keeps its prior mean.
    """
    total = max(weight.sum(), TINY)
    scale = np.sqrt(weight @ (design - weight @ design / total) ** 2 / total)
    scale = np.maximum(scale, prior.scale)
    scale = np.where(scale > LEAST_SCALE, scale, 1.0)
    columns, mean = design / scale, prior.mean * scale
    precision = np.r_[1 / BASE_SPREAD**2, np.full(len(mean) - 1, 1 / spread**2)]

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        raw = columns @ theta
        off = theta - mean
        value = weight @ (softplus(raw) - label * raw) + (precision * off) @ off / 2
        slope = (weight * (sigmoid(raw) - label)) @ columns + precision * off
        return float(value) / (total + 1), slope / (total + 1)

    bounds = np.column_stack([prior.low, prior.high]) * scale[:, None]
    fit = minimize(loss, mean, jac=True, method="L-BFGS-B", bounds=bounds, options=STOP)
    return np.asarray(fit.x / scale)
