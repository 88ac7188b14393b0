"""Weights that make up for snapshots whose outcome is not known yet.

Dropping open leads, or counting them as lost, biases every rate, since wins and losses take
different times. So a censored snapshot gets no weight, and its weight goes to the snapshots that
were followed at least as long: inverse probability of censoring weights (IPCW; Robins and Rotnitzky
1992; Graf et al. 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.settings.target import Target
from leadscore.times import DAY_US


@dataclass(frozen=True)
class Survival:
    """A right-continuous step function that falls from 1: `values[i]` holds from `times[i]` on."""

    times: np.ndarray
    values: np.ndarray

    def before(self, t: np.ndarray | float) -> np.ndarray:
        """The value just before each t, S(t-)."""
        values = np.r_[1.0, self.values]
        steps = np.searchsorted(self.times, t, side="left")
        return np.asarray(values[steps])


@dataclass(frozen=True)
class CensoringWeights:
    """Weights (n,) that make up for censored rows, which are capped (n,), and G(horizon-)."""

    weight: np.ndarray
    capped: np.ndarray
    watched: float


def weigh(
    x_us: np.ndarray,
    observed: np.ndarray,
    grid_weight: np.ndarray,
    *,
    target: Target,
) -> CensoringWeights:
    """Each row's grid weight over the probability of being followed that long, 1/G(x-).

    0 for censored rows.

    Args:
        x_us: (n,) how long each was followed.
        observed: (n,) whether its outcome is known.
        grid_weight: (n,) how many snapshots it stands for.
        target: horizon, and `weight_cap`, the largest 1/G.
    """
    survival = fit_censoring(x_us, ~observed, grid_weight)
    with np.errstate(divide="ignore"):
        inverse = 1 / survival.before(x_us)
    weight = grid_weight * np.minimum(inverse, target.weight_cap)
    is_capped = inverse > target.weight_cap
    horizon_us = target.horizon_days * DAY_US
    watched = survival.before(horizon_us) if len(x_us) else 0.0

    return CensoringWeights(
        weight=np.where(observed, weight, 0.0),
        capped=observed & is_capped,
        watched=float(watched),
    )


def fit_censoring(
    x_us: np.ndarray,
    censored: np.ndarray,
    weight: np.ndarray,
) -> Survival:
    """The probability G(t) of being followed longer than t: Kaplan-Meier of the censoring time.

    G(t) is the product over censoring times u <= t of 1 - (weight censored at u) / (weight at risk
    at u). A snapshot with an outcome at u is no longer at risk of being censored at u.

    Args:
        x_us: (n,) how long each snapshot was followed.
        censored: (n,) whether that ended before its outcome was known.
        weight: (n,) of each snapshot.
    """
    times, step = np.unique(x_us[censored], return_inverse=True)
    censored_weight = np.bincount(step, weights=weight[censored], minlength=len(times))

    order = np.argsort(x_us, kind="stable")
    total = np.r_[0.0, np.cumsum(weight[order])]
    ended = np.searchsorted(x_us[order], times, side="right")
    followed_longer = total[-1] - total[ended]

    at_risk = followed_longer + censored_weight
    still_followed = 1 - censored_weight / at_risk
    return Survival(times, np.cumprod(still_followed))


def count_effective_leads(weight: np.ndarray, lead_id: np.ndarray) -> float:
    """How many leads of equal weight would say as much: (Σ w)² / Σ w² over leads (Kish 1965).

    0 without weight.

    Args:
        weight: (n,) of each row, not negative.
        lead_id: (n,) whose row it is. The rows of a lead share its outcome, so their weights are
            added up.
    """
    codes, _ = pd.factorize(lead_id)
    of_lead = np.bincount(codes, weights=weight)
    total = float(of_lead.sum())
    squares = float((of_lead**2).sum())
    return total**2 / squares if squares > 0 else 0.0
