"""How visits to a stage end, over time: estimates that take unfinished visits for unfinished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.results.base import Interval

Z = 1.96  # standard errors on either side of a 95 % interval
LEAST_IN_SIGHT = 30  # for a share to be stated: later ones rest on too few
HOURS = 24.0  # of a day
ROUNDING = 1e-15  # of a variance that is a difference of numbers near 1
UNKNOWN = Interval(value=None, low=None, high=None)


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

    def count(self) -> int:
        """How many visits there are."""
        return int(sum(ended.sum() for ended in self.ended.values()) + self.unfinished.sum())

    def last_with_enough(self, least: int = LEAST_IN_SIGHT) -> float | None:
        """The last time, in hours, at which so many visits are in sight; None if there is none."""
        enough = np.flatnonzero(self.at_risk() >= least)
        return float(self.hours[enough[-1]]) if len(enough) else None


def count_ends(
    hours: np.ndarray,
    ways: np.ndarray,
    counts: np.ndarray | None = None,
    *,
    names: Sequence[str],
) -> Ends:
    """Visits as counts over time.

    Args:
        hours: (n,) whole hours since the entry.
        ways: (n,) how each ended: one of `names`; any other is unfinished.
        counts: (n,) how many visits each row stands for; default: one.
        names: the ways out.
    """
    if counts is None:
        counts = np.ones(len(hours), dtype=np.int64)
    times, places = np.unique(hours, return_inverse=True)

    def add_up(rows: np.ndarray) -> np.ndarray:
        sums = np.bincount(places[rows], weights=counts[rows], minlength=len(times))
        return np.asarray(sums.astype(np.int64))

    ended = {name: add_up(ways == name) for name in names}
    return Ends(times, ended, add_up(~np.isin(ways, list(names))))


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
    return np.sqrt(np.where(variance > ROUNDING, variance, 0.0))


def share_within(shares: Shares, way: str, hours: float) -> Interval:
    """The share that ended in a way within so many hours, with its 95 % interval."""
    share, error = share_and_error(shares, way, hours)
    return Interval(value=share, low=max(share - Z * error, 0.0), high=min(share + Z * error, 1.0))


def share_and_error(shares: Shares, way: str, hours: float) -> tuple[float, float]:
    """The share that ended in a way within so many hours, and its standard error."""
    place = int(np.searchsorted(shares.hours, hours, side="right")) - 1
    if place < 0:
        return 0.0, 0.0
    return float(shares.ended[way][place]), float(shares.errors[way][place])


def staying_after(shares: Shares, hours: float) -> float:
    """The share still there after so many hours."""
    place = int(np.searchsorted(shares.hours, hours, side="right")) - 1
    return 1.0 if place < 0 else float(shares.staying[place])


def mean_hours(shares: Shares, hours: float) -> float:
    """The mean hours until an end, none counted for more than `hours`.

    It is the area under the Kaplan-Meier curve (restricted mean; Royston and Parmar 2013).
    """
    is_before = shares.hours < hours
    begins = np.concatenate([[0.0], shares.hours[is_before]])
    ends = np.concatenate([shares.hours[is_before], [hours]])
    staying = np.concatenate([[1.0], shares.staying[is_before]])
    return float(np.sum(staying * (ends - begins)))


def quantile_hours(shares: Shares, share: float, *, way: str | None = None) -> float | None:
    """After how many hours so large a share of the visits has ended; None if it never has.

    Args:
        shares: of the ways.
        share: that has ended.
        way: in which they ended; default: any.
    """
    ended = 1 - shares.staying if way is None else shares.ended[way]
    reached = np.flatnonzero(ended >= share - 1e-12)
    return float(shares.hours[reached[0]]) if len(reached) else None


def in_days(hours: float | None) -> float | None:
    """Hours in days."""
    return None if hours is None else hours / HOURS
