"""What contacting leads of low tiers adds, as part of `Monitored`."""

from __future__ import annotations

from leadscore.results.base import Interval, Result


class ExtraContact(Result):
    """The win rate of explored leads less that of leads of the same tiers that were not drawn.

    Attributes:
        explored, others: settled leads, each at its first list in these tiers.
        effect: the difference, with its interval.
        known: whether the interval is narrow enough to act on.
        more: how many more explored leads that takes; 0 if it is known.
    """

    explored: int
    others: int
    effect: Interval
    known: bool
    more: int
