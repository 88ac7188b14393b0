"""How visits to a stage end, over time: estimates that take unfinished visits for unfinished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Z = 1.96  # standard errors on either side of a 95 % interval


@dataclass(frozen=True)
class Ends:
    """When visits ended, by way: counts at rising times.

    Attributes:
        hours: (n,) whole hours since the entry, rising and distinct.
        ended: way -> (n,) visits that ended so then.
        unfinished: (n,) visits that were last seen then, still open.
    """

    hours: np.ndarray
    ended: Mapping[str, np.ndarray]
    unfinished: np.ndarray

    def at_risk(self) -> np.ndarray:
        """How many visits (n,) had neither ended nor gone out of sight before each time."""
        leaves = sum(self.ended.values()) + self.unfinished
        return np.asarray(leaves[::-1].cumsum()[::-1])


@dataclass(frozen=True)
class Shares:
    """Over time (n,), the share of visits that ended in each way, and the share still there.

    The shares of all ways and `staying` add up to 1. `errors` are standard errors.
    """

    hours: np.ndarray
    ended: Mapping[str, np.ndarray]
    errors: Mapping[str, np.ndarray]
    staying: np.ndarray


def estimate_shares(ends: Ends) -> Shares:
    """The Aalen-Johansen estimate of each way's share, with Kaplan-Meier's of those still there.

    A visit that ends at the hour at which another goes out of sight ends first. The variance is the
    delta method's (Marubini and Valsecchi 1995, 10.10; Pintilie 2006, 4.3).
    """
    risk = ends.at_risk().astype(float)
    all_ended = np.asarray(sum(ends.ended.values()), dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        leaving = np.where(risk > 0, all_ended / risk, 0.0)
    staying = np.cumprod(1 - leaving)
    staying_before = np.concatenate([[1.0], staying[:-1]])

    shares = {}
    errors = {}
    for way, ended in ends.ended.items():
        hazard = np.where(risk > 0, ended / np.maximum(risk, 1), 0.0)
        shares[way] = np.cumsum(staying_before * hazard)
        errors[way] = _standard_errors(shares[way], staying_before, risk, all_ended, ended)
    return Shares(ends.hours, shares, errors, staying)


def _standard_errors(
    share: np.ndarray,
    staying_before: np.ndarray,
    risk: np.ndarray,
    all_ended: np.ndarray,
    ended: np.ndarray,
) -> np.ndarray:
    """The standard error (n,) of a way's share at each time.

    The three sums of the delta method, expanded so that each is a cumulative sum.
    """
    rest = risk - all_ended
    with np.errstate(divide="ignore", invalid="ignore"):
        any_end = np.where(rest > 0, all_ended / (risk * rest), 0.0)
        this_end = np.where(risk > 0, staying_before**2 * ended * (risk - ended) / risk**3, 0.0)
        both = np.where(risk > 0, staying_before * ended / risk**2, 0.0)

    first = share**2 * np.cumsum(any_end) - 2 * share * np.cumsum(any_end * share)
    first = first + np.cumsum(any_end * share**2)
    third = share * np.cumsum(both) - np.cumsum(both * share)
    variance = first + np.cumsum(this_end) - 2 * third
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def quantile_hours(shares: Shares, share: float) -> float | None:
    """After how many hours so large a share of the visits has ended; None if it never has."""
    reached = np.flatnonzero(1 - shares.staying >= share - 1e-12)
    return float(shares.hours[reached[0]]) if len(reached) else None
