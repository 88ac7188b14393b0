"""How visits to a stage end, over time: estimates that take unfinished visits for unfinished."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.results.base import Interval

Z = 1.96  # standard errors on either side of a 95% interval
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
        leaving = sum(self.ended.values()) + self.unfinished
        from_the_last = leaving[::-1].cumsum()
        return np.asarray(from_the_last[::-1])

    def count(self) -> int:
        """How many visits there are."""
        by_way = [ended.sum() for ended in self.ended.values()]
        unfinished = self.unfinished.sum()
        return int(sum(by_way) + unfinished)

    def last_with_enough(self, least: int = LEAST_IN_SIGHT) -> float | None:
        """The last time, in hours, at which so many visits are in sight; None if there is none.

        Where all that are in sight later on have ended, it is the last time of all: only chance is
        uncertain there.
        """
        is_enough = self.at_risk() >= least
        places = np.flatnonzero(is_enough)
        if not len(places):
            return None
        last = places[-1]
        all_ended = not self.unfinished[last:].any()
        return float(self.hours[-1] if all_ended else self.hours[last])

    def followed_for(self, hours: float) -> float:
        """How many visits were followed for so long, or would have been, had they not ended.

        The share that had not gone out of sight by then is the reverse Kaplan-Meier estimate, in
        which an end is what cuts the follow-up short (Schemper and Smith 1996).
        """
        ended = np.sum(list(self.ended.values()), axis=0, dtype=float)
        # a visit that ends at the hour at which another goes out of sight ends first
        could_leave = self.at_risk() - ended
        leaving = _divide(self.unfinished.astype(float), could_leave)
        is_before = self.hours < hours
        followed = np.prod(1 - leaving[is_before])
        return float(followed) * self.count()


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
        sums = np.bincount(
            places[rows],
            weights=counts[rows],
            minlength=len(times),
        )
        whole = sums.astype(np.int64)
        return np.asarray(whole)

    ended = {name: add_up(ways == name) for name in names}
    has_ended = np.isin(ways, list(names))
    return Ends(
        hours=times,
        ended=ended,
        unfinished=add_up(~has_ended),
    )


@dataclass(frozen=True)
class Shares:
    """Over time (n,), the share of visits that ended in each way, and the share still there.

    The shares of all ways and `staying` add up to 1. `errors` are standard errors.
    """

    hours: np.ndarray
    ended: Mapping[str, np.ndarray]
    errors: Mapping[str, np.ndarray]
    staying: np.ndarray


def estimate_shares(ends: Ends, *, in_sight: np.ndarray | None = None) -> Shares:
    """The Aalen-Johansen estimate of each way's share, with Kaplan-Meier's of those still there.

    A visit that ends at the hour at which another goes out of sight ends first. The variance is the
    delta method's (Marubini and Valsecchi 1995, 10.10; Pintilie 2006, 4.3).

    Args:
        ends: of the visits.
        in_sight: (n,) before each time, the visits that the errors are for; default: all of `ends`.
    """
    risk = ends.at_risk().astype(float)
    if in_sight is None:
        in_sight = risk
    by_way = list(ends.ended.values())
    all_ended = np.sum(by_way, axis=0, dtype=float)
    leaving = _divide(all_ended, risk)
    staying = np.cumprod(1 - leaving)
    staying_before = np.concatenate([[1.0], staying[:-1]])

    shares = {}
    errors = {}
    for way, ended in ends.ended.items():
        hazard = _divide(ended, risk)
        total = np.cumsum(staying_before * hazard)
        share = np.minimum(total, 1.0)  # the last bits may exceed it
        shares[way] = share
        errors[way] = _standard_errors(
            share,
            staying_before,
            in_sight,
            leaving,
            hazard,
        )
    return Shares(
        hours=ends.hours,
        ended=shares,
        errors=errors,
        staying=staying,
    )


def _divide(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The parts (n,) of wholes (n,); 0 where there is no whole."""
    quotient = np.zeros(len(whole))
    np.divide(part, whole, out=quotient, where=whole > 0)
    return quotient


def _standard_errors(
    share: np.ndarray,
    staying_before: np.ndarray,
    risk: np.ndarray,
    leaving: np.ndarray,
    hazard: np.ndarray,
) -> np.ndarray:
    """The standard error (n,) of a way's share at each time.

    The three sums of the delta method, expanded so that each is a cumulative sum.
    """
    odds = _divide(leaving, 1 - leaving)
    any_end = _divide(odds, risk)
    of_chance = staying_before**2 * hazard * (1 - hazard)
    this_end = _divide(of_chance, risk)
    both = _divide(staying_before * hazard, risk)

    squared = share**2 * np.cumsum(any_end)
    mixed = share * np.cumsum(any_end * share)
    ahead = np.cumsum(any_end * share**2)
    first = squared - 2 * mixed + ahead

    second = np.cumsum(this_end)
    third = share * np.cumsum(both)
    third -= np.cumsum(both * share)

    variance = first + second - 2 * third
    is_positive = variance > ROUNDING
    return np.sqrt(np.where(is_positive, variance, 0.0))


def share_within(shares: Shares, way: str, hours: float) -> Interval:
    """The share that ended in a way within so many hours, with its 95% interval."""
    share, error = share_and_error(shares, way, hours)
    half = Z * error
    return Interval(
        value=share,
        low=max(share - half, 0.0),
        high=min(share + half, 1.0),
    )


def share_or_wilson(ends: Ends, shares: Shares, way: str, hours: float) -> Interval:
    """The same; where none or all ended so, with Wilson's bounds: the delta method's have no width."""
    share = share_within(shares, way, hours)
    if share.value not in (0, 1):
        return share
    total = ends.count()
    return wilson_interval(round(share.value * total), total)


def wilson_interval(count: int, total: int) -> Interval:
    """The share of a count with its 95% score interval (Wilson 1927).

    >>> interval = wilson_interval(5, 20)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.112, 0.469)
    """
    share = count / total
    spread = Z**2 / total
    scale = 1 + spread
    variance = share * (1 - share) / total
    middle = (share + spread / 2) / scale
    half = Z * math.sqrt(variance + spread / (4 * total)) / scale
    return Interval(
        value=share,
        low=min(max(middle - half, 0.0), share),  # not above a share of 0 by the last bit
        high=max(min(middle + half, 1.0), share),
    )


def share_and_error(shares: Shares, way: str, hours: float) -> tuple[float, float]:
    """The share that ended in a way within so many hours, and its standard error."""
    place = _last_until(shares, hours)
    if place is None:
        return 0.0, 0.0
    share = shares.ended[way][place]
    error = shares.errors[way][place]
    return float(share), float(error)


def staying_after(shares: Shares, hours: float) -> float:
    """The share still there after so many hours."""
    place = _last_until(shares, hours)
    if place is None:
        return 1.0
    return float(shares.staying[place])


def _last_until(shares: Shares, hours: float) -> int | None:
    """The place of the last time up to so many hours; None if all are later."""
    past = np.searchsorted(shares.hours, hours, side="right")
    return int(past) - 1 if past else None


def mean_hours(shares: Shares, hours: float) -> float:
    """The mean hours until an end, none counted for more than `hours`.

    It is the area under the Kaplan-Meier curve (restricted mean; Royston and Parmar 2013).
    """
    is_before = shares.hours < hours
    steps = shares.hours[is_before]
    begins = np.concatenate([[0.0], steps])
    ends = np.concatenate([steps, [hours]])
    heights = np.concatenate([[1.0], shares.staying[is_before]])
    areas = heights * (ends - begins)
    return float(areas.sum())


def quantile_hours(shares: Shares, share: float, *, way: str | None = None) -> float | None:
    """After how many hours so large a share of the visits has ended; None if it never has.

    Args:
        shares: of the ways.
        share: that has ended.
        way: in which they ended; default: any.
    """
    ended = 1 - shares.staying if way is None else shares.ended[way]
    is_reached = ended >= share - 1e-12
    places = np.flatnonzero(is_reached)
    if not len(places):
        return None
    first = places[0]
    return float(shares.hours[first])


def in_days(hours: float | None) -> float | None:
    """Hours in days."""
    return None if hours is None else hours / HOURS
