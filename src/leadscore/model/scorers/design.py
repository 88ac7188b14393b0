"""Design columns of the linear scorers, feature by feature, and the terms that they become.

A feature enters as a line, as a rising step for each level of an answer, or as a column for each
level of a category. All yield one `Term` a feature, so that contributions stay one number a
feature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

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
MANY_ROWS = 200_000  # the design of more takes gigabytes
Read = Callable[[], np.ndarray]
UNIFORM = np.sqrt(12)  # width of a uniform distribution in standard deviations


@dataclass(frozen=True)
class Block:
    """The k design columns of one feature.

    Attributes:
        read: gives the columns (n, k), centered on their weighted means and 0 where the value is
            unknown, and where that is (n,).
        mean: (k,) prior mean of the coefficients.
        missing_mean: prior mean of what an unknown value adds.
        sign: 1 if the coefficients must not be below 0, -1 if not above, else 0.
        least_scale: (k,) the least standard deviation that a column is taken to have.
        spread: prior standard deviation of a coefficient, in log-odds for a whole level; None for
            a share of the spread that all standardised columns have together.
        build: makes the term from the coefficients (k,) and what an unknown value adds.
        has_unknown: whether any value is unknown.
    """

    read: Callable[[], tuple[np.ndarray, np.ndarray]]
    mean: np.ndarray
    missing_mean: float
    sign: int
    least_scale: np.ndarray
    spread: float | None
    build: Callable[[np.ndarray, float], Term]
    has_unknown: bool

    @property
    def size(self) -> int:
        """The number of columns, k."""
        return len(self.mean)


def choose_indicators(blocks: Sequence[Block], *, rows: int) -> np.ndarray:
    """Which blocks (n,) have a column for unknown values.

    Where no value is unknown it is all zeros, and its coefficient stays at the prior mean. Many rows
    do without such columns; for few they stay, since without them sums differ in their last bits.
    """
    if rows <= MANY_ROWS:
        return np.ones(len(blocks), dtype=bool)
    return np.array([block.has_unknown for block in blocks], dtype=bool)


def build_design(
    blocks: Sequence[Block],
    has_indicator: np.ndarray,
    *,
    rows: int,
) -> np.ndarray:
    """The design matrix: ones, the blocks' columns, and for some blocks whether a value is unknown.

    Columns are read one block at a time, since all of them are as large as the design.

    Args:
        blocks: one for each feature.
        has_indicator: (blocks,) which have a column for unknown values.
        rows: how many.
    """
    first_indicator = 1 + sum(block.size for block in blocks)
    design = np.empty((rows, first_indicator + has_indicator.sum()))
    design[:, 0] = 1.0
    begin = 1
    place = first_indicator
    for block, is_indicated in zip(blocks, has_indicator, strict=True):
        columns, unknown = block.read()
        end = begin + block.size
        design[:, begin:end] = columns
        begin = end
        if is_indicated:
            design[:, place] = unknown
            place += 1
    return design


def build_block(
    prior: Term,
    feature: Feature,
    read: Read,
    text: np.ndarray | None,
    weight: np.ndarray,
    *,
    level_spread: float,
) -> Block:
    """The block of one feature.

    Args:
        prior: the scorecard's term.
        feature: what the column is.
        read: gives the encoded column (n,), NaN where unknown.
        text: (n,) the category's values, None where unknown; None to read the encoded column as a
            line.
        weight: (n,) not negative.
        level_spread: prior standard deviation of a level.
    """
    if text is not None:
        return _build_levels(prior, text, weight, level_spread)

    is_answer = feature.unit == "share" and feature.direction != 0
    if is_answer:
        encoded = read()
        levels = np.unique(encoded[~np.isnan(encoded)])
        if 2 < len(levels) <= MOST_STEPS:
            return _build_steps(prior, feature, read, levels, weight)
    return _build_line(prior, feature.direction, read, weight)


def build_lines(
    priors: Sequence[Term],
    signs: Sequence[int],
    encoded: np.ndarray,
    weight: np.ndarray,
) -> list[Block]:
    """A line for each column of `encoded` (n, p)."""
    blocks = []
    for position, (prior, sign) in enumerate(zip(priors, signs, strict=True)):
        read = partial(encoded.T.__getitem__, position)
        blocks.append(_build_line(prior, sign, read, weight))
    return blocks


def _build_line(prior: Term, sign: int, read: Read, weight: np.ndarray) -> Block:
    values = read()
    term = _set_limits(prior, values)
    shaped = shape(vars(term), values)
    center = _mean(shaped, weight, default=term.center)
    limits = np.array([prior.low, prior.high])
    width = np.ptp(shape(vars(prior), limits))

    def build(slopes: np.ndarray, missing: float) -> Term:
        slope = float(slopes[0])
        return replace(term, center=center, slope=slope, missing=missing)

    def read_columns() -> tuple[np.ndarray, np.ndarray]:
        shaped = shape(vars(term), read())
        unknown = np.isnan(shaped)
        centered = np.where(unknown, 0.0, shaped - center)
        return centered[:, None], unknown

    return Block(
        read=read_columns,
        mean=np.array([prior.slope]),
        missing_mean=-prior.slope * (center - prior.center),
        sign=sign,
        least_scale=np.array([width / UNIFORM]),
        spread=None,
        build=build,
        has_unknown=bool(np.isnan(shaped).any()),
    )


def _build_steps(
    prior: Term,
    feature: Feature,
    read: Read,
    levels: np.ndarray,
    weight: np.ndarray,
) -> Block:
    """A step up (or down) from each level to the next; the scorecard's line is the prior."""
    values = read()
    share = _share_reached(values, levels, weight)
    rises = np.diff(levels)
    center = _mean(values, weight, default=prior.center)

    def build(steps: np.ndarray, missing: float) -> Term:
        heights = np.concatenate([[0.0], np.cumsum(steps)])
        added = heights - steps @ share
        return Term(
            prior.name,
            log=False,
            missing=missing,
            knots=tuple(levels.tolist()),
            added=tuple(added.tolist()),
        )

    def read_columns() -> tuple[np.ndarray, np.ndarray]:
        values = read()
        unknown = np.isnan(values)
        reached = values[:, None] >= levels[1:]
        return np.where(unknown[:, None], 0.0, reached - share), unknown

    return Block(
        read=read_columns,
        mean=prior.slope * rises,
        missing_mean=-prior.slope * (center - prior.center),
        sign=feature.direction,
        least_scale=rises / UNIFORM,
        spread=None,
        build=build,
        has_unknown=bool(np.isnan(values).any()),
    )


def _share_reached(values: np.ndarray, levels: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weighted share of known values that reach each level but the first."""
    shares = []
    for level in levels[1:]:
        reached = np.where(np.isnan(values), np.nan, values >= level)
        shares.append(_mean(reached, weight, default=0.5))
    return np.array(shares)


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

    common = _find_common(codes[~unknown], names)
    known_weight = np.where(unknown, 0.0, weight)
    inside = (codes[:, None] == common).astype(float)
    share = known_weight @ inside / max(known_weight.sum(), TINY)

    def build(effects: np.ndarray, missing: float) -> Term:
        other = float(-effects @ share)
        of_levels = {}
        for level, effect in zip(common, effects, strict=True):
            of_levels[names[level]] = float(effect) + other
        return Term(prior.name, log=False, missing=missing, levels=of_levels, other=other)

    def read_columns() -> tuple[np.ndarray, np.ndarray]:
        is_level = codes[:, None] == common
        return np.where(unknown[:, None], 0.0, is_level - share), unknown

    return Block(
        read=read_columns,
        mean=np.zeros(len(common)),
        missing_mean=0.0,
        sign=0,
        least_scale=np.ones(len(common)),
        spread=spread,
        build=build,
        has_unknown=bool(unknown.any()),
    )


def _find_common(codes: np.ndarray, names: list[str]) -> np.ndarray:
    """The codes of levels that are neither rare nor `OTHER`, rising."""
    counts = np.bincount(codes, minlength=len(names))
    is_common = counts >= LEAST_LEVEL_ROWS
    has_name = np.array(names, dtype=object) != OTHER
    return np.flatnonzero(is_common & has_name)


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
