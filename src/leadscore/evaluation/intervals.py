"""Metrics with 95% intervals that resample leads, not rows (the cluster bootstrap).

The rows of a lead share its outcome: resampled as if independent, intervals would be too narrow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import METRICS, EvaluationSet, row_log_loss
from leadscore.evaluation.resampled import SortedRows, draw_leads, sort_rows
from leadscore.evaluation.sums import weighted_mean
from leadscore.results import Interval

PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval; NaN for what could not be computed."""

    value: float
    low: float
    high: float

    def interval(self) -> Interval:
        """The same as a result, None for what could not be computed."""
        return Interval(
            value=known_or_none(self.value),
            low=known_or_none(self.low),
            high=known_or_none(self.high),
        )


def known_or_none(number: float) -> float | None:
    """The number, or None if it is not finite."""
    return number if np.isfinite(number) else None


Spread = tuple[float, np.ndarray]  # a metric's value, and its values over resamples


def compute_metrics(
    evaluated: EvaluationSet,
    *,
    seed: int,
    draws: int | None = None,
) -> dict[str, Estimate]:
    """Each metric by name: `auc` within blocks, those of `METRICS`, and the calibration error.

    calibration_error = calibration_error_raw - calibration_error_expected: the binned error less
    its mean under perfect calibration, that is, with labels drawn from the probabilities (one
    uniform number a lead, since its rows share a fate). Its interval compares resamples of the
    leads with equally resampled draws.
    """
    spreads = compute_spreads(evaluated, seed=seed, draws=draws)
    return {name: estimate_of(spread) for name, spread in spreads.items()}


def compute_spreads(
    evaluated: EvaluationSet,
    *,
    seed: int,
    draws: int | None = None,
) -> dict[str, Spread]:
    """What `compute_metrics` summarises: each metric's value, and its values over resamples.

    A seed draws the same leads whatever the model predicts, so spreads can be compared in pairs.
    """
    probability = evaluated.probability
    label = evaluated.label
    weight = evaluated.weight
    values = {"auc": evaluated.auc()}
    for name, metric in METRICS.items():
        values[name] = metric(probability, label, weight)

    order = sort_rows(probability, label, weight, evaluated.units)
    rising = evaluated.take(order)
    rows = SortedRows(rising.probability, rising.label)
    drawn = _draw_metrics(rising, rows, seed=seed, draws=draws)

    spreads = {}
    for name, value in values.items():
        spreads[name] = (value, drawn[name])
    error = rows.binned_error(rising.label, rising.weight)
    return spreads | _calibration_error(error, drawn)


def _draw_metrics(
    evaluated: EvaluationSet,
    rows: SortedRows,
    *,
    seed: int,
    draws: int | None,
) -> Mapping[str, np.ndarray]:
    """By metric its values (draws,), and binned errors: `error`, and `expected` if calibrated.

    `expected_again` is the expected error with the weights of the resample.
    """
    label = evaluated.label
    weight = evaluated.weight
    units = evaluated.units
    ranking = evaluated.rank()
    codes, names = pd.factorize(units, sort=True)
    rng = np.random.default_rng([seed, 1])
    drawn: dict[str, list[float]] = defaultdict(list)

    for count in draw_leads(units, seed=seed, draws=draws):
        resampled = weight * count
        draw = rng.random(len(names))[codes]
        perfect = (draw < evaluated.probability).astype(float)

        drawn["auc"].append(ranking.auc(label, resampled))
        for name, value in rows.metrics(resampled).items():
            drawn[name].append(value)
        drawn["error"].append(rows.binned_error(label, resampled))
        drawn["expected"].append(rows.binned_error(perfect, weight))
        drawn["expected_again"].append(rows.binned_error(perfect, resampled))
    return {name: np.array(values) for name, values in drawn.items()}


def _calibration_error(error: float, drawn: Mapping[str, np.ndarray]) -> dict[str, Spread]:
    """The calibration error and its two parts; only the error itself has an interval."""
    expected = float(np.mean(drawn["expected"]))
    expected_again = float(np.mean(drawn["expected_again"]))
    spread = drawn["error"] - expected_again
    nothing = np.empty(0)
    return {
        "calibration_error": (error - expected, spread),
        "calibration_error_raw": (error, nothing),
        "calibration_error_expected": (expected, nothing),
    }


def compute_gain(
    evaluated: EvaluationSet,
    other: np.ndarray,
    *,
    seed: int,
    draws: int | None = None,
) -> dict[str, Estimate]:
    """What the probabilities gain over those of another model (n,) on the same rows.

    log_loss_gain is the other's log loss less ours, in nats; brier_skill is 1 - our Brier score /
    the other's (Murphy 1988). Both compare row by row.
    """
    label = evaluated.label
    weight = evaluated.weight
    loss_of_other = row_log_loss(other, label)
    less_loss = loss_of_other - row_log_loss(evaluated.probability, label)
    squared = (evaluated.probability - label) ** 2
    squared_of_other = (other - label) ** 2

    gains = []
    skills = []
    for count in draw_leads(evaluated.units, seed=seed, draws=draws):
        resampled = weight * count
        gains.append(weighted_mean(less_loss, resampled))
        skills.append(_skill(squared, squared_of_other, resampled))

    gain = weighted_mean(less_loss, weight)
    skill = _skill(squared, squared_of_other, weight)
    return {
        "log_loss_gain": _estimate(gain, gains),
        "brier_skill": _estimate(skill, skills),
    }


def _skill(ours: np.ndarray, theirs: np.ndarray, weight: np.ndarray) -> float:
    """1 - the weighted sum of `ours` / that of `theirs`; NaN if theirs is 0."""
    error = float((weight * ours).sum())
    error_of_other = float((weight * theirs).sum())
    if error_of_other <= 0:
        return float("nan")
    return 1 - error / error_of_other


def estimate_of(spread: Spread) -> Estimate:
    """A value with the interval of its resamples."""
    value, resamples = spread
    return _estimate(value, resamples)


def difference_of(spread: Spread, other: Spread) -> Estimate:
    """How much larger one metric is than the other, resample by resample."""
    value, resamples = spread
    value_of_other, resamples_of_other = other
    difference = value - value_of_other
    if not len(resamples):
        return Estimate(difference, float("nan"), float("nan"))
    return _estimate(difference, resamples - resamples_of_other)


def _estimate(value: float, resamples: Sequence[float] | np.ndarray) -> Estimate:
    """A value with the percentile interval of the resamples in which it could be computed."""
    computed = np.asarray(resamples, dtype=float)
    computed = computed[np.isfinite(computed)]
    if not len(computed):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.percentile(computed, PERCENTILES)
    return Estimate(value, float(low), float(high))


Units = TypeVar("Units", float, np.ndarray)


def bound_if_unanimous(units: Units) -> Units:
    """How far from 0 or 1 the win rate may be where all of so many leads ended alike.

    Every resample of such leads looks certain, so the far end of the interval is the exact one
    (Clopper and Pearson 1934): at a rate of 1 - 0.025^(1 / units) nobody wins with 2.5%.

    >>> round(bound_if_unanimous(10), 3)
    0.308
    """
    bound: Units = 1 - 0.025 ** (1 / units)
    return bound
