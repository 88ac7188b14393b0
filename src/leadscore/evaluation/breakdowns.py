"""An evaluation taken apart: by group of leads, and the Brier score by its components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.evaluation.intervals import PERCENTILES, bound_if_unanimous
from leadscore.evaluation.metrics import EvaluationSet, by_value, compute_brier
from leadscore.evaluation.resampled import BINS, draw_leads
from leadscore.evaluation.sums import sum_by
from leadscore.history.labels import Side
from leadscore.history.split import History


@dataclass(frozen=True)
class _Groups:
    """Rows in groups: the names of the groups, and the group (n,) of each row by position."""

    evaluated: EvaluationSet
    names: np.ndarray
    at: np.ndarray

    def means(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Win rate and mean probability (groups,), weighted; NaN for a group without weight."""
        total = self._sum(weight)
        won = self._sum(weight * self.evaluated.label)
        promised = self._sum(weight * self.evaluated.probability)
        with np.errstate(invalid="ignore", divide="ignore"):
            return won / total, promised / total

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return sum_by(self.at, values, places=len(self.names))

    def resampled_means(self, *, seed: int, draws: int | None) -> tuple[np.ndarray, np.ndarray]:
        """The same means (draws, groups) over resamples of the leads."""
        units = self.evaluated.units
        rates, means = [], []
        for count in draw_leads(units, seed=seed, draws=draws):
            rate, mean = self.means(self.evaluated.weight * count)
            rates.append(rate)
            means.append(mean)
        return np.array(rates), np.array(means)

    def parts(self) -> Iterator[tuple[str, EvaluationSet]]:
        """Yield name and rows of each group."""
        for i, name in enumerate(self.names):
            yield str(name), self.evaluated.take(self.at == i)


def compute_groups(
    evaluated: EvaluationSet,
    names: np.ndarray,
    *,
    seed: int,
    draws: int | None = None,
) -> list[dict[str, Any]]:
    """What was promised to each group of rows, and what came of it, in the order of the names.

    Args:
        evaluated: the rows.
        names: (n,) the group of each row; rows without one (None) are left out.
        seed: of the resamples.
        draws: how many resamples, by default as many as suit the number of rows.

    Returns:
        Records of name, n, leads, mean_probability, win_rate with low and high (95 % over leads),
        auc, and `gap`, the mean probability less the win rate, with its own interval.
    """
    is_named = np.array([name is not None for name in names], dtype=bool)
    part = evaluated.take(is_named)
    unique, at = np.unique(names[is_named].astype(str), return_inverse=True)
    groups = _Groups(part, unique, at)
    if not len(unique):
        return []

    rate, mean = groups.means(part.weight)
    rates, means = groups.resampled_means(seed=seed, draws=draws)
    rate_low, rate_high = np.nanpercentile(rates, PERCENTILES, axis=0)
    gap_low, gap_high = np.nanpercentile(means - rates, PERCENTILES, axis=0)

    records = []
    for i, (name, rows) in enumerate(groups.parts()):
        bound = bound_if_unanimous(len(np.unique(rows.units)))
        auc = rows.auc()
        gap = {
            "value": float(mean[i] - rate[i]),
            "low": float(gap_low[i]),
            "high": float(gap_high[i]),
        }
        records.append(
            {
                "name": name,
                "n": len(rows.label),
                "leads": rows.count_leads(),
                "mean_probability": float(mean[i]),
                "win_rate": float(rate[i]),
                "low": 1 - bound if rate[i] == 1 else float(rate_low[i]),
                "high": bound if rate[i] == 0 else float(rate_high[i]),
                "auc": auc if np.isfinite(auc) else None,
                "gap": gap,
            }
        )
    return records


def compute_decomposition(evaluated: EvaluationSet) -> dict[str, float]:
    """The components of the Brier score: reliability - resolution + uncertainty + within = brier.

    Over ten bins of equally many rows by probability, equal probabilities together (Murphy 1973;
    `within` by Stephenson et al. 2008):

    * reliability: the mean squared distance of the bins' mean probability from their win rate,
    * resolution: that of their win rates from the overall one,
    * uncertainty: the Brier score of the overall win rate, rate * (1 - rate),
    * within: the variance of the probabilities inside the bins, less twice their covariance with
      the labels there.
    """
    p, label, weight = evaluated.probability, evaluated.label, evaluated.weight
    values, won, lost = by_value(p, label, weight)
    weight_of_value = won + lost
    place = np.searchsorted(np.sort(p), values)
    _, bins = np.unique(place * BINS // len(p), return_inverse=True)

    def of_bins(amounts: np.ndarray) -> np.ndarray:
        return sum_by(bins, amounts, places=bins.max() + 1)

    total = of_bins(weight_of_value)
    share = total / total.sum()
    mean = of_bins(weight_of_value * values) / total
    rate = of_bins(won) / total
    overall = float(won.sum() / weight_of_value.sum())

    deviation = values - mean[bins]
    covariance = (won - weight_of_value * rate[bins]) * deviation
    within = (weight_of_value * deviation**2 - 2 * covariance).sum() / weight_of_value.sum()
    return {
        "reliability": float(share @ (mean - rate) ** 2),
        "resolution": float(share @ (rate - overall) ** 2),
        "uncertainty": overall * (1 - overall),
        "within": float(within),
        "brier": compute_brier(p, label, weight),
    }


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
    rows = side.rows[keys].merge(spells, on=keys, how="left", validate="many_to_one")
    first_us = rows["lead_id"].map(first_worked).to_numpy(dtype=float)
    close_us = rows["close_us"].to_numpy()

    is_lost = (close_us < side.known_us) & ~rows["won"].to_numpy(dtype=bool)
    was_worked = first_us < close_us
    return np.asarray(is_lost & ~was_worked)
