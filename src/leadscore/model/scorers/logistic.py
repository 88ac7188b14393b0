"""Logistic regression with the scorecard as its prior: the fewer leads have closed, the nearer to it.

Every slope, in units of its column's standard deviation, has a normal prior around the scorecard's
slope. The more features, the less each is free to move, so that the log-odds have the same prior
spread. Where a feature has a direction, its slope has that sign.

The intercept is free. What the scorecard says of an average lead counts as much as one closed lead:
with no rows at all the fit is the scorecard; with any, the mean probability is close to the win
rate, however rare wins or losses are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import minimize

from leadscore.features.feature import Feature
from leadscore.model.apply import logit, sigmoid, softplus
from leadscore.model.encode import EncodedColumns
from leadscore.model.scorers.design import (
    TINY,
    Block,
    build_block,
    build_design,
    build_lines,
    choose_indicators,
)
from leadscore.model.scorers.linear import Term, as_scorer
from leadscore.model.scorers.scorecard import build_terms
from leadscore.model.threads import one_thread
from leadscore.settings.scorecard import Scorecard

LOG_ODDS_SPREAD = 1.2  # prior standard deviation of the log-odds around the scorecard's
INTERCEPT_LEADS = 1.0  # closed leads that the scorecard's base rate counts as
CORRECTION_SPREAD = 0.5  # prior standard deviation, in log-odds, of a correction's intercept
COIN_SCALE = 0.5  # standard deviation of an indicator that is 1 as often as 0
LEAST_SCALE = 1e-9
AT_ONCE = 8  # columns that are copied at a time
STOP: dict[str, float] = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-13, "gtol": 1e-7}
ROUGH: dict[str, float] = {  # enough to compare by
    "maxiter": 100,
    "maxfun": 200,
    "ftol": 1e-8,
    "gtol": 1e-5,
}


@dataclass(frozen=True)
class _InterceptPrior:
    """The prior of the intercept.

    Attributes:
        mean: in log-odds.
        spread: standard deviation, in log-odds.
        leads: so many leads are added, won at the rate of `mean`, beside or instead of `spread`.
    """

    mean: float
    spread: float
    leads: float


@dataclass(frozen=True)
class _Prior:
    """The prior of all p parameters: intercept, columns' coefficients, what unknown values add.

    Attributes:
        mean: (p,).
        low: (p,) lower bounds.
        high: (p,) upper bounds.
        scale: (p,) the least standard deviation that a column is taken to have, since few leads may
            happen to be much alike.
        spread: (p,) standard deviation, of the standardised column, or, where `is_level`, of the
            column as it is.
        is_level: (p,) whether a column is a category's level.
        intercept_leads: see `_InterceptPrior`.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray
    spread: np.ndarray
    is_level: np.ndarray
    intercept_leads: float

    def take(self, mask: np.ndarray) -> _Prior:
        """The prior of the parameters in a mask (p,)."""
        arrays = {name: values[mask] for name, values in vars(self).items() if np.ndim(values)}
        return replace(self, **arrays)


def fit_logistic(
    encoded: EncodedColumns,
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
        encoded: a column for each feature.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        leads: number of distinct leads. The evidence weighs as many rows as there are leads, since
            all rows of a lead share its outcome.
        features: what the columns are.
        scorecard: the prior's points and base rate.
        log_odds_spread: prior standard deviation of the log-odds, shared evenly among features.
        texts: for each feature the values (n,) of a category that enters level by level, else None.
        level_spread: prior standard deviation of a level.
        stop: when the optimiser is done, `STOP` or `ROUGH`.
    """
    weight = _weigh_leads(weight, leads)
    intercept, terms = _fit_blocks(
        _build_blocks(encoded, weight, features, scorecard, texts, level_spread=level_spread),
        label,
        weight,
        intercept=_trust_base_rate(scorecard),
        log_odds_spread=log_odds_spread,
        stop=stop,
    )
    return as_scorer("logistic", intercept, terms)


def _build_blocks(
    encoded: EncodedColumns,
    weight: np.ndarray,
    features: Sequence[Feature],
    scorecard: Scorecard,
    texts: Sequence[np.ndarray | None] | None,
    *,
    level_spread: float,
) -> list[Block]:
    """A block for each feature, with the scorecard as its prior."""
    priors = build_terms(features, scorecard)
    texts = [None] * len(features) if texts is None else texts
    blocks = []
    for position, (prior, feature, text) in enumerate(zip(priors, features, texts, strict=True)):
        read = partial(encoded.__getitem__, position)
        block = build_block(prior, feature, read, text, weight, level_spread=level_spread)
        blocks.append(block)
    return blocks


def _trust_base_rate(scorecard: Scorecard) -> _InterceptPrior:
    """The intercept's prior: the scorecard's base rate counts as much as a few leads."""
    mean = float(logit(scorecard.base_rate))
    return _InterceptPrior(mean=mean, spread=np.inf, leads=INTERCEPT_LEADS)


def fit_terms(
    encoded: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    leads: int,
    prior: Sequence[Term],
    signs: Sequence[int],
    log_odds_spread: float,
) -> tuple[float, list[Term]]:
    """Intercept and terms, all of them lines, shrunk toward 0 and toward `prior`.

    The arguments are those of `fit_logistic`; `signs` (p,) are the directions of the columns, 0
    for none.
    """
    weight = _weigh_leads(weight, leads)
    return _fit_blocks(
        build_lines(prior, signs, encoded, weight),
        label,
        weight,
        intercept=_InterceptPrior(mean=0.0, spread=CORRECTION_SPREAD, leads=0.0),
        log_odds_spread=log_odds_spread,
        stop=STOP,
    )


def _weigh_leads(weight: np.ndarray, leads: int) -> np.ndarray:
    """The weights (n,), scaled to add up to the number of leads."""
    total = max(weight.sum(), TINY)
    return np.asarray(weight * leads / total)


def _fit_blocks(
    blocks: Sequence[Block],
    label: np.ndarray,
    weight: np.ndarray,
    *,
    intercept: _InterceptPrior,
    log_odds_spread: float,
    stop: Mapping[str, float],
) -> tuple[float, list[Term]]:
    """Intercept and a term for each block."""
    sizes = [block.size for block in blocks]
    first_missing = 1 + sum(sizes)
    has_indicator = choose_indicators(blocks, rows=len(weight))
    design = build_design(blocks, has_indicator, rows=len(weight))
    unknown = design[:, first_missing:]
    share_of_indicated = _share_unknown(unknown, weight)
    unknown -= share_of_indicated
    unknown_share = np.zeros(len(blocks))
    unknown_share[has_indicator] = share_of_indicated

    spread = log_odds_spread / np.sqrt(len(blocks))
    prior = _build_prior(blocks, unknown_share, intercept=intercept, spread=spread)
    has_column = np.r_[np.ones(first_missing, dtype=bool), has_indicator]
    solution = prior.mean.copy()
    with one_thread():  # sums over several threads differ in the last bits
        solution[has_column] = _minimise(design, label, weight, prior.take(has_column), stop)

    of_columns = solution[1:first_missing]
    ends = np.cumsum(sizes)[:-1]
    coefficients = np.split(of_columns, ends)
    missing = solution[first_missing:]
    terms = []
    for block, of_block, of_unknown in zip(blocks, coefficients, missing, strict=True):
        terms.append(block.build(of_block, float(of_unknown)))
    return float(solution[0] - missing @ unknown_share), terms


def _share_unknown(unknown: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weighted share (p,) of unknown values in each column (n, p) of ones and zeros."""
    sums = np.empty(unknown.shape[1])
    for part in _split_columns(len(sums)):
        sums[part] = weight @ np.ascontiguousarray(unknown[:, part])
    return np.asarray(sums / max(weight.sum(), TINY))


def _build_prior(
    blocks: Sequence[Block],
    unknown_share: np.ndarray,
    *,
    intercept: _InterceptPrior,
    spread: float,
) -> _Prior:
    """The blocks' priors side by side, with the intercept at the columns' own centers."""
    sizes = [len(block.mean) for block in blocks]
    sign = np.repeat([block.sign for block in blocks], sizes)
    of_levels = [block.spread is not None for block in blocks]
    is_level = np.repeat(of_levels, sizes)
    spreads = [spread if block.spread is None else block.spread for block in blocks]

    missing_mean = np.array([block.missing_mean for block in blocks])
    intercept_mean = intercept.mean - missing_mean @ (1 - unknown_share)
    lower = np.where(sign > 0, 0.0, -np.inf)
    upper = np.where(sign < 0, 0.0, np.inf)
    means = np.concatenate([block.mean for block in blocks])
    scales = np.concatenate([block.least_scale for block in blocks])
    column_spreads = np.repeat(spreads, sizes)

    # The last parameters, one a block, are what unknown values add.
    n = len(blocks)
    free = np.full(n, np.inf)
    missing_scales = np.full(n, COIN_SCALE)
    missing_spreads = np.full(n, spread)
    is_missing_level = np.full(n, fill_value=False)
    return _Prior(
        mean=np.r_[intercept_mean, means, missing_mean],
        low=np.r_[-np.inf, lower, -free],
        high=np.r_[np.inf, upper, free],
        scale=np.r_[1.0, scales, missing_scales],
        spread=np.r_[intercept.spread, column_spreads, missing_spreads],
        is_level=np.r_[False, is_level, is_missing_level],
        intercept_leads=intercept.leads,
    )


def _scale(design: np.ndarray, weight: np.ndarray, prior: _Prior) -> np.ndarray:
    """The spread (p,) by which each column is divided; 1 for levels and columns that never vary."""
    total = max(weight.sum(), TINY)
    center = weight @ design / total
    variance = np.empty(len(center))
    for part in _split_columns(len(center)):
        squares = design[:, part] - center[part]
        np.square(squares, out=squares)
        variance[part] = weight @ squares / total
    scale = np.maximum(np.sqrt(variance), prior.scale)
    is_scaled = (scale > LEAST_SCALE) & ~prior.is_level
    return np.where(is_scaled, scale, 1.0)


def _split_columns(width: int) -> list[slice]:
    """Parts of `AT_ONCE` columns, which are copied one after another rather than all at once.

    The last one has the rest: fewer than four columns alone, BLAS would sum in another order.
    """
    parts = max(width // AT_ONCE, 1)
    begins = [i * AT_ONCE for i in range(parts)]
    ends = [*begins[1:], width]
    return [slice(begin, end) for begin, end in zip(begins, ends, strict=True)]


def _minimise(
    design: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    prior: _Prior,
    stop: Mapping[str, float],
) -> np.ndarray:
    """The posterior mode (p,) within bounds, by L-BFGS-B.

    It minimises weighted log loss + sum((theta - mean)^2 / (2 spread^2)), where the intercept's
    leads enter the log loss. A column's spread is that of its standardised values, unless it is a
    level; a column that never varies keeps its prior mean. The design becomes the standardised columns.
    """
    total = max(weight.sum(), TINY)
    scale = _scale(design, weight, prior)
    columns = np.divide(design, scale, out=design)  # a second one would take its memory again
    mean = prior.mean * scale
    precision = 1 / prior.spread**2
    base_rate = float(sigmoid(mean[0]))

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = columns @ theta
        off = theta - mean
        pull = precision * off
        row_loss = softplus(log_odds) - label * log_odds
        residual = weight * (sigmoid(log_odds) - label)
        value = weight @ row_loss + pull @ off / 2
        slope = residual @ columns + pull
        intercept = theta[0]
        of_intercept = softplus(intercept) - base_rate * intercept
        value += prior.intercept_leads * of_intercept
        slope[0] += prior.intercept_leads * (sigmoid(intercept) - base_rate)
        mean_value = float(value) / (total + 1)
        mean_slope = slope / (total + 1)
        return mean_value, mean_slope

    limits = np.column_stack([prior.low, prior.high])
    bounds = limits * scale[:, None]
    fit = minimize(loss, mean, jac=True, method="L-BFGS-B", bounds=bounds, options=dict(stop))
    return np.asarray(fit.x / scale)
