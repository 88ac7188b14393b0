"""Logistic regression whose prior is the scorecard: the fewer leads have closed, the nearer to it.

Every slope, in units of its column's standard deviation, has a normal prior around the scorecard's own slope. The more
features there are, the less each is free to move, so that raw, all in all, is. Where a feature has a direction its
slope has that sign.

The base is free. What the scorecard says of an average lead counts as much as one closed lead: with no rows at all the
fit is the scorecard, with any the mean probability is the share that was won, however rare wins or losses are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from leadscore.features.feature import Feature
from leadscore.model.apply import sigmoid, softplus
from leadscore.model.scorers.design import Block, build_block, build_lines
from leadscore.model.scorers.linear import Term, as_scorer, log_odds_of
from leadscore.model.scorers.scorecard import build_terms
from leadscore.model.threads import one_thread
from leadscore.settings.scorecard import Scorecard

LOG_ODDS_SPREAD = (
    1.2  # how far, in log-odds, all features together may well move raw away from the scorecard
)
BASE_LEADS = 1.0  # closed leads that the scorecard's base rate counts as
BASE_SPREAD = 0.5  # how far, in log-odds, the base of a correction may well move away from 0
COIN_SCALE = 0.5  # standard deviation of whether a value is unknown, if it is as often as not
LEAST_SCALE = 1e-9
TINY = 1e-300
STOP: dict[str, float] = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-13, "gtol": 1e-7}
ROUGH: dict[str, float] = {
    "maxiter": 100,
    "maxfun": 200,
    "ftol": 1e-8,
    "gtol": 1e-5,
}  # enough to compare by


@dataclass(frozen=True)
class _Prior:
    """Of the base, the columns' coefficients and what unknown values add, (p,).

    `scale` is the least that a column is taken to vary by: few leads may happen to be much alike. `spread` is the
    prior's standard deviation, of the standardised column, or, where `is_level`, of the column as it is. The base has,
    beside or instead of it, `base_leads` leads that are won at the rate of its mean.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray
    spread: np.ndarray
    is_level: np.ndarray
    base_leads: float


def fit_logistic(
    encoded: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    leads: int,
    features: Sequence[Feature],
    scorecard: Scorecard,
    log_odds_spread: float = LOG_ODDS_SPREAD,
    texts: Sequence[np.ndarray | None] | None = None,
    level_spread: float = 0.0,
    stop: Mapping[str, float] = STOP,
) -> dict[str, Any]:
    """The scorer as JSON, shrunk toward the scorecard.

    Args:
        encoded: (n, features), as `encode_training` gives it.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        leads: how many different leads the rows are of. The evidence weighs as many rows as there are leads, since
            the rows of one lead share its fate.
        features: what the columns are.
        scorecard: the prior's points and base rate.
        log_odds_spread: standard deviation of raw under the prior, shared out evenly among the features' slopes.
        texts: for each feature the values (n,) of a category that enters level by level; None for one that enters as
            its encoded rate.
        level_spread: standard deviation of a level under the prior.
        stop: when the optimiser is done, `STOP` or `ROUGH`.
    """
    weight = _per_lead(weight, leads)
    texts = [None] * len(features) if texts is None else texts
    columns = zip(build_terms(features, scorecard), features, encoded.T, texts, strict=True)
    blocks = [
        build_block(prior, feature, x, text, weight, level_spread=level_spread)
        for prior, feature, x, text in columns
    ]
    base, terms = _fit_blocks(
        blocks,
        label,
        weight,
        base=log_odds_of(scorecard.base_rate),
        base_spread=np.inf,
        base_leads=BASE_LEADS,
        log_odds_spread=log_odds_spread,
        stop=stop,
    )
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
    log_odds_spread: float,
) -> tuple[float, list[Term]]:
    """Base and terms, all of them lines, of the logistic regression that is shrunk toward `prior` and `base`.

    Args as of `fit_logistic`; `signs` (p,) are the directions of the columns, 0 for none.
    """
    weight = _per_lead(weight, leads)
    return _fit_blocks(
        build_lines(prior, signs, encoded, weight),
        label,
        weight,
        base=base,
        base_spread=BASE_SPREAD,
        base_leads=0.0,
        log_odds_spread=log_odds_spread,
        stop=STOP,
    )


def _per_lead(weight: np.ndarray, leads: int) -> np.ndarray:
    return np.asarray(weight * leads / max(weight.sum(), TINY))


def _fit_blocks(
    blocks: Sequence[Block],
    label: np.ndarray,
    weight: np.ndarray,
    *,
    base: float,
    base_spread: float,
    base_leads: float,
    log_odds_spread: float,
    stop: Mapping[str, float],
) -> tuple[float, list[Term]]:
    unknown = np.column_stack([block.unknown for block in blocks])
    share = weight @ unknown / max(weight.sum(), TINY)
    ones = np.ones((len(unknown), 1))
    design = np.hstack([ones, *(block.columns for block in blocks), unknown - share])
    spread = log_odds_spread / np.sqrt(len(blocks))
    prior = _build_prior(
        blocks, share, base=base, base_spread=base_spread, base_leads=base_leads, spread=spread
    )
    with one_thread():  # sums of several threads differ in the last bits
        solution = _minimise(design, label, weight, prior, stop)
    sizes = [block.columns.shape[1] for block in blocks]
    first, missing = 1 + sum(sizes), solution[1 + sum(sizes) :]
    parts = np.split(solution[1:first], np.cumsum(sizes)[:-1])
    terms = [
        block.build(part, float(m)) for block, part, m in zip(blocks, parts, missing, strict=True)
    ]
    return float(solution[0] - missing @ share), terms


def _build_prior(
    blocks: Sequence[Block],
    share: np.ndarray,
    *,
    base: float,
    base_spread: float,
    base_leads: float,
    spread: float,
) -> _Prior:
    """The blocks' priors side by side, with the base as it is at the columns' own centers."""
    missing = np.array([block.missing_mean for block in blocks])
    sign = np.concatenate([np.full(len(block.mean), block.sign) for block in blocks])
    is_level = np.concatenate(
        [np.full(len(block.mean), block.spread is not None) for block in blocks]
    )
    spreads = [
        np.full(len(block.mean), spread if block.spread is None else block.spread)
        for block in blocks
    ]
    free = np.full(len(blocks), np.inf)
    return _Prior(
        mean=np.r_[
            base - missing @ (1 - share), np.concatenate([block.mean for block in blocks]), missing
        ],
        low=np.r_[-np.inf, np.where(sign > 0, 0.0, -np.inf), -free],
        high=np.r_[np.inf, np.where(sign < 0, 0.0, np.inf), free],
        scale=np.r_[
            1.0,
            np.concatenate([block.least_scale for block in blocks]),
            np.full(len(blocks), COIN_SCALE),
        ],
        spread=np.r_[base_spread, np.concatenate(spreads), np.full(len(blocks), spread)],
        is_level=np.r_[False, is_level, np.zeros(len(blocks), dtype=bool)],
        base_leads=base_leads,
    )


def _minimise(
    design: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    prior: _Prior,
    stop: Mapping[str, float],
) -> np.ndarray:
    """The most probable parameters (p,): weighted log loss + sum of (theta - mean)^2 / (2 spread^2), within bounds.

    To the log loss is added that of the base's leads. A column's spread is of its standardised values, but for levels;
    one that never varies keeps its prior mean.
    """
    total = max(weight.sum(), TINY)
    scale = np.sqrt(weight @ (design - weight @ design / total) ** 2 / total)
    scale = np.maximum(scale, prior.scale)
    scale = np.where((scale > LEAST_SCALE) & ~prior.is_level, scale, 1.0)
    columns, mean = design / scale, prior.mean * scale
    precision = 1 / prior.spread**2
    base_rate = float(sigmoid(mean[0]))

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = columns @ theta
        off = theta - mean
        value = weight @ (softplus(log_odds) - label * log_odds) + (precision * off) @ off / 2
        slope = (weight * (sigmoid(log_odds) - label)) @ columns + precision * off
        value += prior.base_leads * (softplus(theta[0]) - base_rate * theta[0])
        slope[0] += prior.base_leads * (sigmoid(theta[0]) - base_rate)
        return float(value) / (total + 1), slope / (total + 1)

    bounds = np.column_stack([prior.low, prior.high]) * scale[:, None]
    fit = minimize(loss, mean, jac=True, method="L-BFGS-B", bounds=bounds, options=dict(stop))
    return np.asarray(fit.x / scale)
