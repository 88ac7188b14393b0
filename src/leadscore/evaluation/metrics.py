"""How good probabilities are, as tables of numbers with intervals that resample leads, not rows.

Rows of one lead share its fate, so treating them as independent would promise too much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.evaluation.ranking import Ranking
from leadscore.evaluation.resampled import (
    BINS,
    TOP_SHARE,
    SortedRows,
    auc_of_ties,
    average_precision_of_ties,
    capture_of_ties,
    draw_leads,
    sort_rows,
)

DRAWS, MANY_ROWS, DRAWS_OF_MANY = (
    300,
    100_000,
    100,
)  # intervals of so many rows are narrow, and a draw takes long


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float | None]:
        """With null for what could not be computed."""
        return {name: x if np.isfinite(x) else None for name, x in vars(self).items()}


@dataclass(frozen=True)
class EvaluationSet:
    """Predictions beside what became of them: probability, label (0 or 1), weight, and whose row it is, each (n,).

    `block` (n,) says which list a row was ranked in: its date; without dates, the test block or fold. None is one list.
    `group` (n,) names what intervals resample where several leads may be copies of one; by default leads.
    `order` (n,) is what rows of a list are ranked by, None for the probability.
    """

    probability: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    lead_id: np.ndarray
    block: np.ndarray | None = None
    group: np.ndarray | None = None
    order: np.ndarray | None = None

    def __post_init__(self) -> None:
        rows = len(self.probability)
        assert rows == len(self.label) == len(self.weight) == len(self.lead_id)  # noqa: S101
        assert self.block is None or len(self.block) == rows  # noqa: S101
        assert self.group is None or len(self.group) == rows  # noqa: S101
        assert self.order is None or len(self.order) == rows  # noqa: S101

    @property
    def units(self) -> np.ndarray:
        """What is resampled as a whole, (n,)."""
        return self.lead_id if self.group is None else self.group

    def take(self, rows: np.ndarray) -> EvaluationSet:
        """Only those rows."""
        optional = [
            None if values is None else values[rows]
            for values in (self.block, self.group, self.order)
        ]
        return EvaluationSet(
            self.probability[rows],
            self.label[rows],
            self.weight[rows],
            self.lead_id[rows],
            *optional,
        )

    @property
    def without_times(self) -> np.ndarray:
        """The probability (n,) that ranks a list: without a shift of the times, if there is any."""
        return self.probability if self.order is None else self.order

    def rank(self) -> Ranking:
        """The rows ranked within their blocks."""
        block = np.zeros(len(self.probability), dtype=int) if self.block is None else self.block
        return Ranking.of(self.without_times, block)

    def auc(self) -> float:
        """AUC within blocks."""
        return self.rank().auc(self.label, self.weight)


Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def compute_auc(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """Probability that a won row is ranked above any that is not, ties counting half; NaN with one kind only.

    It pools all rows: over several dates it mixes how well leads are ranked with how the win rate drifts.
    """
    _, won, lost = by_value(p, y, w)
    return auc_of_ties(won, lost)


def compute_average_precision(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """Mean precision over the won rows, from the top of the list; rows of equal probability enter together."""
    _, won, lost = by_value(p, y, w)
    return average_precision_of_ties(won[::-1], lost[::-1])


def compute_log_loss(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """Mean of -log of the probability given to what happened, in nats."""
    return float(np.average(row_log_loss(p, y), weights=w))


def row_log_loss(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-log of the probability given to what happened, row by row; a probability of 0 or 1 counts as 1e-15 off."""
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return -np.log(np.where(y == 1, p, 1 - p))


def compute_brier(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """Mean squared difference of probability and outcome (Brier 1950)."""
    return float(np.average((p - y) ** 2, weights=w))


def compute_bias(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """Mean probability less mean outcome: above 0 promises too much."""
    return float(np.average(p - y, weights=w))


def compute_capture(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """Share of all wins that are in the first 10 % of the list, by weight."""
    _, won, lost = by_value(p, y, w)
    return capture_of_ties(won[::-1], lost[::-1])


def compute_lift(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """How many times more wins the first 10 % of the list hold than 10 % at random."""
    return compute_capture(p, y, w) / TOP_SHARE


def compute_binned_error(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """Mean |mean probability - mean outcome| over ten bins of equally many rows; by chance 0.04 at n = 700."""
    order = np.lexsort((w, p))
    bins = np.arange(len(p)) * BINS // len(p)
    _, same = np.unique(
        p, return_inverse=True
    )  # rows of one probability share their win rate, in whatever order
    total = np.bincount(same, weights=w)
    rate = np.bincount(same, weights=w * y) / np.where(total > 0, total, 1)
    gap = np.bincount(bins, weights=(w * (p - rate[same]))[order], minlength=BINS)
    return float(np.abs(gap).sum() / w.sum())


METRICS: Mapping[str, Metric] = {
    "pooled_auc": compute_auc,
    "average_precision": compute_average_precision,
    "log_loss": compute_log_loss,
    "brier": compute_brier,
    "bias": compute_bias,
    "lift_10": compute_lift,
    "capture_10": compute_capture,
}


def count_draws(rows: np.ndarray, draws: int | None) -> int:
    """How many resamples an interval rests on, if not stated."""
    if draws is not None:
        return draws
    return DRAWS if len(rows) <= MANY_ROWS else DRAWS_OF_MANY


Spread = tuple[float, np.ndarray]  # a metric's value, and its values over resamples


def compute_metrics(
    evaluated: EvaluationSet, *, seed: int, draws: int | None = None
) -> dict[str, Estimate]:
    """`auc` within blocks, every metric of `METRICS`, and calibration_error with its two parts.

    All have 95 % intervals over leads.

    calibration_error = calibration_error_raw - calibration_error_expected: the binned error less its mean under
    perfect calibration (outcomes drawn from the probabilities, one uniform number a lead, since its rows share a
    fate). The interval compares resamples of the leads with equally resampled draws.
    """
    return {
        name: estimate_of(spread)
        for name, spread in compute_spreads(evaluated, seed=seed, draws=draws).items()
    }


def compute_spreads(
    evaluated: EvaluationSet, *, seed: int, draws: int | None = None
) -> dict[str, Spread]:
    """The same, each as its value and its values over resamples of the leads, which a seed repeats for any model."""
    whole = {"auc": evaluated.auc()}
    whole |= {
        name: metric(evaluated.probability, evaluated.label, evaluated.weight)
        for name, metric in METRICS.items()
    }
    evaluated = evaluated.take(
        sort_rows(evaluated.probability, evaluated.label, evaluated.weight, evaluated.units)
    )
    y, w, units = evaluated.label, evaluated.weight, evaluated.units
    rows, ranking = SortedRows(evaluated.probability, y), evaluated.rank()
    codes, names = pd.factorize(units, sort=True)
    rng = np.random.default_rng([seed, 1])
    drawn: dict[str, list[float]] = {}
    for count in draw_leads(units, seed=seed, draws=count_draws(units, draws)):
        weight = w * count
        perfect = (rng.random(len(names))[codes] < evaluated.probability).astype(float)
        values = {
            "auc": ranking.auc(y, weight),
            **rows.metrics(weight),
            "raw": rows.binned_error(y, weight),
            "expected": rows.binned_error(perfect, w),
            "expected_again": rows.binned_error(perfect, weight),
        }
        for name, value in values.items():
            drawn.setdefault(name, []).append(value)
    spreads = {name: np.array(values) for name, values in drawn.items()}
    found = {name: (value, spreads.get(name, np.empty(0))) for name, value in whole.items()}
    return found | _calibration_error(rows.binned_error(y, w), spreads)


def estimate_of(spread: Spread) -> Estimate:
    """A value with the interval of its resamples."""
    return _estimate(spread[0], list(spread[1]))


def difference_of(spread: Spread, other: Spread) -> Estimate:
    """How much larger one is than the other, resample by resample."""
    if not len(spread[1]):
        return Estimate(spread[0] - other[0], float("nan"), float("nan"))
    return _estimate(spread[0] - other[0], list(spread[1] - other[1]))


def _calibration_error(log_odds: float, spreads: Mapping[str, np.ndarray]) -> dict[str, Spread]:
    """The error, its two parts, and its resamples less what equally resampled perfect outcomes show."""
    expected = float(np.mean(spreads["expected"]))
    spread = spreads["raw"] - float(np.mean(spreads["expected_again"]))
    return {
        "calibration_error": (log_odds - expected, spread),
        "calibration_error_raw": (log_odds, np.empty(0)),
        "calibration_error_expected": (expected, np.empty(0)),
    }


def compute_gain(
    evaluated: EvaluationSet, other: np.ndarray, *, seed: int, draws: int | None = None
) -> dict[str, Estimate]:
    """What the probabilities gain over those of another model on the same rows: log loss, and Brier skill.

    log_loss_gain is the other's log loss less ours, paired; brier_skill is 1 - ours / the other's.
    """
    y, w = evaluated.label, evaluated.weight
    loss = row_log_loss(other, y) - row_log_loss(evaluated.probability, y)
    ours, theirs = (evaluated.probability - y) ** 2, (other - y) ** 2

    def skill(weight: np.ndarray) -> float:
        total = float((weight * theirs).sum())
        return 1 - float((weight * ours).sum()) / total if total > 0 else float("nan")

    gains, skills = [], []
    for count in draw_leads(evaluated.units, seed=seed, draws=count_draws(evaluated.units, draws)):
        gains.append(float(np.average(loss, weights=w * count)))
        skills.append(skill(w * count))
    return {
        "log_loss_gain": _estimate(float(np.average(loss, weights=w)), gains),
        "brier_skill": _estimate(skill(w), skills),
    }


def compute_standard_error(
    difference: np.ndarray, weight: np.ndarray, lead_id: np.ndarray
) -> float:
    """Standard error of a weighted mean over rows whose leads are independent (linearised ratio estimate)."""
    codes, leads = pd.factorize(lead_id, sort=True)
    mean = np.average(difference, weights=weight)
    of_lead = np.bincount(codes, weights=weight * (difference - mean), minlength=len(leads))
    return float(np.sqrt((of_lead**2).sum()) / weight.sum())


def compute_reliability(
    evaluated: EvaluationSet, *, seed: int = 0, draws: int | None = None
) -> pd.DataFrame:
    """Ten bins of equally many rows by probability, and their win rates with 95 % intervals over leads.

    Columns: n, leads, weight, mean_probability, win_rate, low, high. A bin in which nobody won, or everybody, looks
    certain to every resample; its far end is the exact bound for so many leads of one fate.
    """
    order = np.lexsort(
        (evaluated.label, evaluated.weight, evaluated.lead_id, evaluated.probability)
    )
    rows = (
        pd.DataFrame(vars(evaluated) | {"unit": evaluated.units})
        .iloc[order]
        .assign(bin=np.arange(len(order)) * BINS // max(len(order), 1))
    )
    rows = rows.assign(p=rows["probability"] * rows["weight"], y=rows["label"] * rows["weight"])
    bins = rows.groupby("bin").agg(
        n=("label", "size"),
        leads=("lead_id", "nunique"),
        units=("unit", "nunique"),
        weight=("weight", "sum"),
        p=("p", "sum"),
        y=("y", "sum"),
    )
    rate = bins["y"] / bins["weight"]
    low, high = _rate_intervals(rows, seed=seed, draws=draws)
    surprise = 1 - 0.025 ** (1 / bins["units"])
    bins = bins.assign(
        mean_probability=bins["p"] / bins["weight"],
        win_rate=rate,
        low=np.where(rate == 1, 1 - surprise, low),
        high=np.where(rate == 0, surprise, high),
    )
    return bins.drop(columns=["p", "y", "units"])


def _rate_intervals(
    rows: pd.DataFrame, *, seed: int, draws: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """95 % intervals (bins,) of the win rate of every bin; resamples without a lead of a bin say nothing of it."""
    if rows.empty:
        return np.empty(0), np.empty(0)
    _, at = np.unique(rows["bin"], return_inverse=True)
    weight, won = rows["weight"].to_numpy(), rows["y"].to_numpy()
    rates = []
    unit = rows["unit"].to_numpy()
    for count in draw_leads(unit, seed=seed, draws=count_draws(unit, draws)):
        total = np.bincount(at, weights=weight * count)
        rates.append(
            np.where(
                total > 0,
                np.bincount(at, weights=won * count) / np.where(total > 0, total, 1),
                np.nan,
            )
        )
    low, high = np.nanpercentile(np.stack(rates), [2.5, 97.5], axis=0)
    return low, high


def resample_leads(lead_id: np.ndarray, *, seed: int, draws: int) -> np.ndarray:
    """How often each row's lead comes up in each of `draws` resamples of the leads: int16 (draws, n)."""
    return np.stack(list(draw_leads(lead_id, seed=seed, draws=draws)))


def by_value(
    p: np.ndarray, y: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct probabilities, rising, with the weight of won and of other rows at each, (values,) three times."""
    values, at = np.unique(p, return_inverse=True)
    won = np.bincount(at, weights=w * y, minlength=len(values))
    return values, won, np.bincount(at, weights=w * (1 - y), minlength=len(values))


def _estimate(value: float, spread: list[float]) -> Estimate:
    usable = np.array([x for x in spread if np.isfinite(x)])
    if not len(usable):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.percentile(usable, [2.5, 97.5])
    return Estimate(value, float(low), float(high))
