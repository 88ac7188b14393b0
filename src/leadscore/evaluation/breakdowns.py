"""Breakdowns of an evaluation: by group of leads, and the Brier score by its components."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from leadscore.evaluation.intervals import (
    PERCENTILES,
    Estimate,
    bound_if_unanimous,
    known_or_none,
)
from leadscore.evaluation.metrics import EvaluationSet, by_value, compute_brier
from leadscore.evaluation.resampled import BINS, draw_leads
from leadscore.evaluation.sums import sum_by
from leadscore.history.side import Side
from leadscore.history.split import History
from leadscore.results import BrierParts, Group


@dataclass(frozen=True)
class _Rates:
    """Predicted and actual win rate of each group: weighted means (groups,), or (draws, groups).

    NaN for a group without weight.
    """

    predicted: np.ndarray
    won: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """The mean probability less the win rate."""
        return np.asarray(self.predicted - self.won)


@dataclass(frozen=True)
class _Groups:
    """Rows in groups: the names of the groups, and the group (n,) of each row by position."""

    evaluated: EvaluationSet
    names: np.ndarray
    at: np.ndarray

    @classmethod
    def of(cls, evaluated: EvaluationSet, names: np.ndarray) -> _Groups:
        """The rows that have a name (n,), by that name."""
        has_name = [name is not None for name in names]
        is_named = np.array(has_name, dtype=bool)
        texts = names[is_named].astype(str)
        unique, at = np.unique(texts, return_inverse=True)
        return cls(evaluated.take(is_named), unique, at)

    def rates(self, weight: np.ndarray) -> _Rates:
        """The rates with these weights (n,)."""
        total = self._sum(weight)
        won = self._sum(weight * self.evaluated.label)
        predicted = self._sum(weight * self.evaluated.probability)
        with np.errstate(invalid="ignore", divide="ignore"):
            return _Rates(predicted / total, won / total)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return sum_by(self.at, values, places=len(self.names))

    def summarise(
        self,
        i: int,
        mean_probability: float,
        win_rate: Estimate,
        gap: Estimate,
    ) -> Group:
        """The group at a position, with its predicted and its actual win rate."""
        rows = self.evaluated.take(self.at == i)
        win_rate = _bound(win_rate, rows)
        return Group(
            name=str(self.names[i]),
            n=len(rows.label),
            leads=rows.count_leads(),
            mean_probability=mean_probability,
            win_rate=win_rate.value,
            low=win_rate.low,
            high=win_rate.high,
            auc=known_or_none(rows.auc()),
            gap=gap.interval(),
        )

    def resampled_rates(self, *, seed: int, draws: int | None) -> _Rates:
        """The rates over resamples of the leads."""
        predicted = []
        won = []
        units = self.evaluated.units
        for count in draw_leads(units, seed=seed, draws=draws):
            rates = self.rates(self.evaluated.weight * count)
            predicted.append(rates.predicted)
            won.append(rates.won)
        return _Rates(np.array(predicted), np.array(won))


def compute_groups(
    evaluated: EvaluationSet,
    names: np.ndarray,
    *,
    seed: int,
    draws: int | None = None,
) -> list[Group]:
    """The predicted and the actual win rate of each group of rows, in the order of the names.

    Intervals are over leads, at 95%. The `gap` is the mean probability less the win rate.

    Args:
        evaluated: the rows.
        names: (n,) the group of each row; rows without one (None) are left out.
        seed: of the resamples.
        draws: how many resamples, by default as many as suit the number of rows.
    """
    groups = _Groups.of(evaluated, names)
    if not len(groups.names):
        return []

    rates = groups.rates(groups.evaluated.weight)
    resampled = groups.resampled_rates(seed=seed, draws=draws)
    low, high = np.nanpercentile(resampled.won, PERCENTILES, axis=0)
    gap_low, gap_high = np.nanpercentile(resampled.gap, PERCENTILES, axis=0)

    computed = []
    for i in range(len(groups.names)):
        win_rate = Estimate(rates.won[i], low[i], high[i])
        gap = Estimate(rates.gap[i], gap_low[i], gap_high[i])
        group = groups.summarise(i, rates.predicted[i], win_rate, gap)
        computed.append(group)
    return computed


def _bound(win_rate: Estimate, rows: EvaluationSet) -> Estimate:
    """The win rate of some rows; the far end is the exact bound where all leads ended alike."""
    bound = bound_if_unanimous(len(np.unique(rows.units)))
    if win_rate.value == 1:
        return replace(win_rate, low=1 - bound)
    if win_rate.value == 0:
        return replace(win_rate, high=bound)
    return win_rate


def compute_decomposition(evaluated: EvaluationSet) -> BrierParts:
    """The components of the Brier score: reliability - resolution + uncertainty + within = brier.

    Over ten bins of equally many rows by probability, equal probabilities together (Murphy 1973;
    `within` by Stephenson et al. 2008):

    * reliability: the mean squared distance of the bins' mean probability from their win rate,
    * resolution: that of their win rates from the overall one,
    * uncertainty: the Brier score of the overall win rate, rate * (1 - rate),
    * within: the variance of the probabilities inside the bins, less twice their covariance with
      the labels there.
    """
    p = evaluated.probability
    values, won, lost = by_value(p, evaluated.label, evaluated.weight)
    weight = won + lost
    place = np.searchsorted(np.sort(p), values)
    bin_of_row = place * BINS // len(p)
    _, bins = np.unique(bin_of_row, return_inverse=True)

    def of_bins(amounts: np.ndarray) -> np.ndarray:
        return sum_by(bins, amounts, places=bins.max() + 1)

    total = of_bins(weight)
    share = total / total.sum()
    mean = of_bins(weight * values) / total
    rate = of_bins(won) / total
    overall = float(won.sum() / weight.sum())

    deviation = values - mean[bins]
    covariance = (won - weight * rate[bins]) * deviation
    within = weight * deviation**2 - 2 * covariance
    return BrierParts(
        reliability=float(share @ (mean - rate) ** 2),
        resolution=float(share @ (rate - overall) ** 2),
        uncertainty=overall * (1 - overall),
        within=float(within.sum() / weight.sum()),
        brier=compute_brier(p, evaluated.label, evaluated.weight),
    )


def find_never_worked(history: History, side: Side) -> np.ndarray | None:
    """A mask (n,) of the rows whose leads were lost before a rep had done anything.

    As known with the labels. What would have become of these leads is unknown, since they were not
    worked. None if no rep is known to have done anything at all.
    """
    first_worked = history.facts.first_worked(side.known_us)
    if first_worked.empty:
        return None

    spells = history.spells(side.known_us)
    keys = ["lead_id", "spell"]
    known = side.rows[keys]
    rows = known.merge(spells, on=keys, how="left", validate="many_to_one")
    first_us = rows["lead_id"].map(first_worked).to_numpy(dtype=float)
    close_us = rows["close_us"].to_numpy()

    is_closed = close_us < side.known_us
    is_won = rows["won"].to_numpy(dtype=bool)
    is_lost = is_closed & ~is_won
    was_worked = first_us < close_us
    return np.asarray(is_lost & ~was_worked)
