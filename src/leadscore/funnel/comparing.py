"""Whether two groups of visits end in one way equally often, as far as chance explains."""

from __future__ import annotations

import math

import numpy as np

from leadscore.funnel.competing import Ends, estimate_shares, share_and_error


def compare_shares(one: Ends, other: Ends, way: str, *, hours: float) -> float | None:
    """The two-sided p-value of the difference between two shares; None if neither has such an end.

    The z-test with the rates of both together: without a difference these would be those of each,
    and each share as uncertain as its own number of visits in sight makes it. A group's own rates
    would make its error far too small where few of its visits ended in that way.

    Args:
        one: visits.
        other: other visits.
        way: in which they ended.
        hours: within which that counts.
    """
    both = add_ends(one, other)
    variance = 0.0
    for group in (one, other):
        in_sight = _count_in_sight(group, both.hours)
        shares = estimate_shares(both, in_sight=in_sight)
        _, error = share_and_error(shares, way, hours)
        variance += error**2
    if variance == 0:
        return None

    of_one = estimate_shares(one)
    of_other = estimate_shares(other)
    share, _ = share_and_error(of_one, way, hours)
    share_of_other, _ = share_and_error(of_other, way, hours)
    z = abs(share - share_of_other) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))


def _count_in_sight(ends: Ends, hours: np.ndarray) -> np.ndarray:
    """How many visits (n,) had neither ended nor gone out of sight before each of some times."""
    at_risk = np.append(ends.at_risk(), 0)
    place = np.searchsorted(ends.hours, hours)
    return np.asarray(at_risk[place], dtype=float)


def add_ends(one: Ends, other: Ends) -> Ends:
    """The visits of both."""
    return _combine(one, other, sign=1)


def subtract_ends(whole: Ends, part: Ends) -> Ends:
    """The visits of a whole that are not in a part of it."""
    return _combine(whole, part, sign=-1)


def _combine(one: Ends, other: Ends, *, sign: int) -> Ends:
    """Counts of one, with those of the other added or taken away."""
    hours = np.union1d(one.hours, other.hours)
    place = np.searchsorted(hours, one.hours)
    place_of_other = np.searchsorted(hours, other.hours)

    def add_up(counts: np.ndarray, counts_of_other: np.ndarray) -> np.ndarray:
        total = np.zeros(len(hours), dtype=np.int64)
        total[place] += counts
        total[place_of_other] += sign * counts_of_other
        return total

    ended = {}
    for way, counts in one.ended.items():
        ended[way] = add_up(counts, other.ended[way])
    unfinished = add_up(one.unfinished, other.unfinished)
    visits = sum(ended.values()) + unfinished
    is_any = visits > 0
    return Ends(
        hours=hours[is_any],
        ended={way: counts[is_any] for way, counts in ended.items()},
        unfinished=unfinished[is_any],
    )
