"""The columns of a linear scorer's design matrix, feature by feature, and how their coefficients become terms.

A feature enters as one line, as a rising step for each level of an answer, or as a column for each level of a
category. Every way yields one `Term` a feature, so contributions stay one number a feature.
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

TAIL = 0.005  # share of a column's values that are pulled in at either end
MOST_STEPS = 12  # different values; a column with more is a line
LEAST_LEVEL_ROWS = 10  # of a category's level; rarer ones share the category's mean


@dataclass(frozen=True)
class Block:
    """The k design columns of one feature.

    Attributes:
        columns: (n, k), 0 where the value is unknown, else centered on their weighted means.
        unknown: (n,) whether the value is unknown.
        mean: (k,) of the coefficients' prior.
        missing_mean: of the prior of what an unknown value adds.
        sign: 1 or -1 if the coefficients must not be below, or above, 0; else 0.
        least_scale: (k,) the least standard deviation that a column is taken to have.
        spread: of the prior of each coefficient, in log-odds for a whole level; None for a share of the spread that
            all standardised columns have together.
        build: from the coefficients (k,) and what an unknown value adds to the term.
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
        text: (n,) the category's values, None where unknown; None to read the encoded column as a line.
        weight: (n,) not negative.
        level_spread: standard deviation of a level under the prior.
    """
    if text is not None:
        return _build_levels(prior, text, weight, level_spread)
    known = encoded[~np.isnan(encoded)]
    levels = np.unique(known)
    is_answer = feature.unit == "share" and feature.direction != 0
    if is_answer and 2 < len(levels) <= MOST_STEPS:
        return _build_steps(prior, feature, encoded, levels, weight)
    return _build_line(prior, feature.direction, encoded, weight)


def build_lines(
    priors: Sequence[Term], signs: Sequence[int], encoded: np.ndarray, weight: np.ndarray
) -> list[Block]:
    """A line for each column of `encoded` (n, p)."""
    columns = zip(priors, signs, encoded.T, strict=True)
    return [_build_line(prior, sign, values, weight) for prior, sign, values in columns]


def _build_line(prior: Term, sign: int, values: np.ndarray, weight: np.ndarray) -> Block:
    term = _set_limits(prior, values)
    shaped = shape(vars(term), values)
    unknown = np.isnan(shaped)
    center = _mean(shaped, weight, otherwise=term.center)
    width = np.ptp(shape(vars(prior), np.array([prior.low, prior.high])))

    def build(slopes: np.ndarray, missing: float) -> Term:
        return replace(term, center=center, slope=float(slopes[0]), missing=missing)

    return Block(
        columns=np.where(unknown, 0.0, shaped - center)[:, None],
        unknown=unknown,
        mean=np.array([prior.slope]),
        missing_mean=-prior.slope * (center - prior.center),
        sign=sign,
        least_scale=np.array([width / np.sqrt(12)]),  # of evenly spread values
        spread=None,
        build=build,
    )


def _build_steps(
    prior: Term, feature: Feature, values: np.ndarray, levels: np.ndarray, weight: np.ndarray
) -> Block:
    """A step up (or down) from each level to the next; the scorecard's line is the prior."""
    unknown = np.isnan(values)
    reached = (values[:, None] >= levels[1:]).astype(float)
    shares = np.array(
        [_mean(np.where(unknown, np.nan, step), weight, otherwise=0.5) for step in reached.T]
    )
    rises = np.diff(levels)
    center = _mean(values, weight, otherwise=prior.center)

    def build(steps: np.ndarray, missing: float) -> Term:
        added = np.concatenate([[0.0], np.cumsum(steps)]) - steps @ shares
        return Term(
            prior.name,
            log=False,
            missing=missing,
            knots=tuple(levels.tolist()),
            added=tuple(added.tolist()),
        )

    return Block(
        columns=np.where(unknown[:, None], 0.0, reached - shares),
        unknown=unknown,
        mean=prior.slope * rises,
        missing_mean=-prior.slope * (center - prior.center),
        sign=feature.direction,
        least_scale=rises / np.sqrt(12),
        spread=None,
        build=build,
    )


def _build_levels(prior: Term, text: np.ndarray, weight: np.ndarray, spread: float) -> Block:
    """A column for each level that is not rare; the prior is that no level differs."""
    codes, levels_seen = pd.factorize(pd.Series(text, dtype=object), sort=True)
    names = [str(name) for name in levels_seen]
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    common = np.flatnonzero((counts >= LEAST_LEVEL_ROWS) & (np.array(names, dtype=object) != OTHER))
    unknown = codes < 0
    inside = (codes[:, None] == common).astype(float)
    known_weight = np.where(unknown, 0.0, weight)
    shares = known_weight @ inside / max(known_weight.sum(), 1e-300)

    def build(effects: np.ndarray, missing: float) -> Term:
        other = float(-effects @ shares)
        levels = {
            names[at]: float(effect) + other for at, effect in zip(common, effects, strict=True)
        }
        return Term(prior.name, log=False, missing=missing, levels=levels, other=other)

    return Block(
        columns=np.where(unknown[:, None], 0.0, inside - shares),
        unknown=unknown,
        mean=np.zeros(len(common)),
        missing_mean=0.0,
        sign=0,
        least_scale=np.ones(len(common)),
        spread=spread,
        build=build,
    )


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
