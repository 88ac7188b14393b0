"""Design columns of the linear scorers, feature by feature, and the terms that they become.

A feature enters as a line, as a rising step for each level of an answer, or as a column for each
level of a category. All yield one `Term` a feature, so that contributions stay one number a
feature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.model.apply import shape
from leadscore.model.encode import OTHER
from leadscore.model.scorers.linear import Term

TAIL = 0.005  # share of a column's values that are clipped at either end
MOST_STEPS = 12  # different values; a column with more is a line
LEAST_LEVEL_ROWS = 10  # of a category's level; rarer ones share the category's mean
TINY = 1e-300
UNIFORM = np.sqrt(12)  # width of a uniform distribution in standard deviations


@dataclass(frozen=True)
class Block:
    """The k design columns of one feature.

    Attributes:
        columns: (n, k), centered on their weighted means, 0 where the value is unknown.
        unknown: (n,) whether the value is unknown.
        mean: (k,) prior mean of the coefficients.
        missing_mean: prior mean of what an unknown value adds.
        sign: 1 if the coefficients must not be below 0, -1 if not above, else 0.
        least_scale: (k,) the least standard deviation that a column is taken to have.
        spread: prior standard deviation of a coefficient, in log-odds for a whole level; None for
            a share of the spread that all standardised columns have together.
        build: makes the term from the coefficients (k,) and what an unknown value adds.
    """

    columns: np.ndarray
    unknown: np.ndarray
    mean: np.ndarray
    missing_mean: float
    sign: int
    least_scale: np.ndarray
    spread: float | None
    build: Callable[[np.ndarray, float], Term]


def build_block(
    prior: Term,
    feature: Feature,
    encoded: np.ndarray,
    text: np.ndarray | None,
    weight: np.ndarray,
    *,
    level_spread: float,
) -> Block:
    """The block of one feature.

    Args:
        prior: the scorecard's term.
        feature: what the column is.
        encoded: (n,) the column, NaN where unknown.
        text: (n,) the category's values, None where unknown; None to read the encoded column as a
            line.
        weight: (n,) not negative.
        level_spread: prior standard deviation of a level.
    """
    if text is not None:
        return _build_levels(prior, text, weight, level_spread)

    levels = np.unique(encoded[~np.isnan(encoded)])
    is_answer = feature.unit == "share" and feature.direction != 0
    if is_answer and 2 < len(levels) <= MOST_STEPS:
        return _build_steps(prior, feature, encoded, levels, weight)
    return _build_line(prior, feature.direction, encoded, weight)


def build_lines(
    priors: Sequence[Term],
    signs: Sequence[int],
    encoded: np.ndarray,
    weight: np.ndarray,
) -> list[Block]:
    """A line for each column of `encoded` (n, p)."""
    columns = zip(priors, signs, encoded.T, strict=True)
    return [_build_line(prior, sign, values, weight) for prior, sign, values in columns]


def _build_line(prior: Term, sign: int, values: np.ndarray, weight: np.ndarray) -> Block:
    term = _set_limits(prior, values)
    shaped = shape(vars(term), values)
    unknown = np.isnan(shaped)
    center = _mean(shaped, weight, default=term.center)
    limits = np.array([prior.low, prior.high])
    width = np.ptp(shape(vars(prior), limits))

    def build(slopes: np.ndarray, missing: float) -> Term:
        slope = float(slopes[0])
        return replace(term, center=center, slope=slope, missing=missing)

    centered = np.where(unknown, 0.0, shaped - center)
    return Block(
        columns=centered[:, None],
        unknown=unknown,
        mean=np.array([prior.slope]),
        missing_mean=-prior.slope * (center - prior.center),
        sign=sign,
        least_scale=np.array([width / UNIFORM]),
        spread=None,
        build=build,
    )


def _build_steps(
    prior: Term,
    feature: Feature,
    values: np.ndarray,
    levels: np.ndarray,
    weight: np.ndarray,
) -> Block:
    """A step up (or down) from each level to the next; the scorecard's line is the prior."""
    unknown = np.isnan(values)
    reached = (values[:, None] >= levels[1:]).astype(float)
    known_reached = np.where(unknown[:, None], np.nan, reached)
    share = np.array([_mean(step, weight, default=0.5) for step in known_reached.T])

    rises = np.diff(levels)
    center = _mean(values, weight, default=prior.center)

    def build(steps: np.ndarray, missing: float) -> Term:
        climbed = np.cumsum(steps)
        heights = np.concatenate([[0.0], climbed])
        added = heights - steps @ share
        return Term(
            prior.name,
            log=False,
            missing=missing,
            knots=tuple(levels.tolist()),
            added=tuple(added.tolist()),
        )

    columns = np.where(unknown[:, None], 0.0, reached - share)
    missing_mean = -prior.slope * (center - prior.center)
    return Block(
        columns=columns,
        unknown=unknown,
        mean=prior.slope * rises,
        missing_mean=missing_mean,
        sign=feature.direction,
        least_scale=rises / UNIFORM,
        spread=None,
        build=build,
    )


def _build_levels(
    prior: Term,
    text: np.ndarray,
    weight: np.ndarray,
    spread: float,
) -> Block:
    """A column for each level that is not rare; the prior is that no level differs."""
    codes, levels = pd.factorize(pd.Series(text, dtype=object), sort=True)
    names = [str(name) for name in levels]
    unknown = codes < 0

    known_codes = codes[~unknown]
    counts = np.bincount(known_codes, minlength=len(names))
    is_common = counts >= LEAST_LEVEL_ROWS
    has_name = np.array(names, dtype=object) != OTHER
    common = np.flatnonzero(is_common & has_name)
    inside = (codes[:, None] == common).astype(float)

    known_weight = np.where(unknown, 0.0, weight)
    share = known_weight @ inside / max(known_weight.sum(), TINY)

    def build(effects: np.ndarray, missing: float) -> Term:
        other = float(-effects @ share)
        of_levels = {}
        for level, effect in zip(common, effects, strict=True):
            of_levels[names[level]] = float(effect) + other
        return Term(prior.name, log=False, missing=missing, levels=of_levels, other=other)

    columns = np.where(unknown[:, None], 0.0, inside - share)
    return Block(
        columns=columns,
        unknown=unknown,
        mean=np.zeros(len(common)),
        missing_mean=0.0,
        sign=0,
        least_scale=np.ones(len(common)),
        spread=spread,
        build=build,
    )


def _set_limits(term: Term, values: np.ndarray) -> Term:
    """Limits at the tails of the known values, unless the scorecard has set them."""
    known = values[~np.isnan(values)]
    if term.high > term.low or not len(known):
        return term
    low, high = np.quantile(known, [TAIL, 1 - TAIL], method="nearest")
    return replace(term, low=float(low), high=float(high))


def _mean(values: np.ndarray, weight: np.ndarray, *, default: float) -> float:
    """The weighted mean of known values, or the default without any."""
    known = ~np.isnan(values) & (weight > 0)
    if not known.any():
        return default
    return float(np.average(values[known], weights=weight[known]))
