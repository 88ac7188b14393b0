"""Evaluated predictions and the metrics of one such set, each a single number.

Intervals are in `intervals.py`.
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
    auc_of_ties,
    average_precision_of_ties,
    capture_of_ties,
)
from leadscore.evaluation.sums import sum_by, weighted_mean

LEAST_PROBABILITY = 1e-15  # the log of 0 would make one sure mistake infinitely bad


@dataclass(frozen=True)
class EvaluationSet:
    """Predictions with their outcomes, one row a snapshot.

    Attributes:
        probability: (n,) predicted.
        label: (n,) 1 if won, 0 if not.
        weight: (n,) of the row in every metric.
        lead_id: (n,) the row's lead.
        block: (n,) the list a row is ranked in: its date; without dates, the test block or fold.
            None if all rows are one list.
        group: (n,) what intervals resample as a whole where several leads may be copies of one.
            None for leads.
        order: (n,) what a list is ranked by. None for the probability.
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
        for values in vars(self).values():
            assert values is None or len(values) == rows  # noqa: S101

    @property
    def units(self) -> np.ndarray:
        """What is resampled as a whole, (n,): groups, or leads."""
        return self.lead_id if self.group is None else self.group

    @property
    def without_times(self) -> np.ndarray:
        """The probability (n,) that ranks a list: without the running intercept, if any."""
        return self.probability if self.order is None else self.order

    def take(self, rows: np.ndarray) -> EvaluationSet:
        """The rows chosen by a mask or by positions."""

        def taken(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return EvaluationSet(
            self.probability[rows],
            self.label[rows],
            self.weight[rows],
            self.lead_id[rows],
            taken(self.block),
            taken(self.group),
            taken(self.order),
        )

    def rank(self) -> Ranking:
        """The rows ranked within their blocks."""
        block = self.block
        if block is None:
            block = np.zeros(len(self.probability), dtype=int)
        return Ranking.of(self.without_times, block)

    def auc(self) -> float:
        """The AUC within blocks."""
        return self.rank().auc(self.label, self.weight)

    def count_leads(self) -> int:
        """The number of distinct leads."""
        return len(np.unique(self.lead_id))

    def count_leads_won(self) -> int:
        """The number of distinct leads with a won row."""
        leads = self.lead_id[self.label == 1]
        return len(np.unique(leads))

    def count_leads_not_won(self) -> int:
        """The number of distinct leads with a row that was not won; some may have a won one too."""
        leads = self.lead_id[self.label == 0]
        return len(np.unique(leads))

    def has_both_labels(self) -> bool:
        """Whether some rows were won and some were not."""
        return len(np.unique(self.label)) == 2


# Probability, label and weight of the rows, (n,) each -> the metric.
Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def compute_auc(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """The area under the ROC curve of all rows pooled; NaN unless both labels occur.

    It is the probability that a won row ranks above one that is not, ties counting half
    (Hanley and McNeil 1982). Over several dates it mixes how well leads are ranked with the drift
    of the win rate; `EvaluationSet.auc` does not.
    """
    _, won, lost = by_value(p, y, w)
    return auc_of_ties(won, lost)


def compute_average_precision(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """The mean precision at the won rows, from the top of the list; NaN without a win.

    Rows of equal probability enter together, as in scikit-learn's `average_precision_score`.
    """
    _, won, lost = by_value(p, y, w)
    return average_precision_of_ties(won[::-1], lost[::-1])


def compute_log_loss(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """The weighted mean of -ln(probability given to the outcome), in nats."""
    return weighted_mean(row_log_loss(p, y), w)


def row_log_loss(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-ln(probability given to the outcome) of each row (n,), probabilities clipped by 1e-15."""
    p = np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    of_outcome = np.where(y == 1, p, 1 - p)
    return -np.log(of_outcome)


def compute_brier(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """The weighted mean of (probability - label)^2 (Brier 1950)."""
    return weighted_mean((p - y) ** 2, w)


def compute_bias(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """The mean probability less the win rate; above 0 the predictions are too high."""
    return weighted_mean(p - y, w)


def compute_capture(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """The share of all wins in the first 10% of the list, by weight; NaN without a win."""
    _, won, lost = by_value(p, y, w)
    return capture_of_ties(won[::-1], lost[::-1])


def compute_lift(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """Wins in the first 10% of the list, as a multiple of 10% at random."""
    return compute_capture(p, y, w) / TOP_SHARE


def compute_binned_error(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """The expected calibration error (Naeini et al. 2015) over ten bins of equally many rows.

    The weighted mean over bins of |mean probability - win rate|. It is above 0 by chance alone, by
    about 0.04 at n = 700; see `calibration_error` of `intervals.compute_metrics`. Rows of equal
    probability share their win rate, so that their order does not matter.
    """
    order = np.lexsort((w, p))
    n = len(p)
    bins = np.arange(n) * BINS // n

    values, tie = np.unique(p, return_inverse=True)
    total = sum_by(tie, w, places=len(values))
    won = sum_by(tie, w * y, places=len(values))
    divisor = np.where(total > 0, total, 1)
    rate = won / divisor

    gap = w * (p - rate[tie])
    gap_of_bin = sum_by(bins, gap[order], places=BINS)
    total_gap = np.abs(gap_of_bin).sum()
    return float(total_gap / w.sum())


METRICS: Mapping[str, Metric] = {
    "pooled_auc": compute_auc,
    "average_precision": compute_average_precision,
    "log_loss": compute_log_loss,
    "brier": compute_brier,
    "bias": compute_bias,
    "lift_10": compute_lift,
    "capture_10": compute_capture,
}


def compute_standard_error(
    difference: np.ndarray,
    weight: np.ndarray,
    lead_id: np.ndarray,
) -> float:
    """The standard error of a weighted mean over rows (n,) whose leads are independent.

    The rows of a lead share its fate, so their deviations add up before they are squared:
    sqrt(sum over leads of (sum of w * (x - mean))^2) / sum of w, the linearised ratio estimate
    (Cochran 1977, chapter 6).
    """
    codes, leads = pd.factorize(lead_id, sort=True)
    mean = weighted_mean(difference, weight)
    deviation = weight * (difference - mean)
    of_lead = sum_by(codes, deviation, places=len(leads))
    total = (of_lead**2).sum()
    return float(np.sqrt(total) / weight.sum())


def by_value(
    p: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct probabilities, rising, and the weight of won and of other rows at each."""
    values, at = np.unique(p, return_inverse=True)
    won = sum_by(at, w * y, places=len(values))
    weight_not_won = w * (1 - y)
    lost = sum_by(at, weight_not_won, places=len(values))
    return values, won, lost
