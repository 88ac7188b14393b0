"""Two columns of dates that say who was won and who was lost: every closed lead has one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.onboarding import words
from leadscore.onboarding.profile import NOWHERE, Column

MOST_BOTH = 0.05  # the share of closed leads that may have both


@dataclass(frozen=True)
class ClosingDates:
    """When leads were won, and when lost."""

    won: Column
    lost: Column

    def moments(self) -> np.ndarray:
        """All closes in UTC microseconds (n,)."""
        both = np.concatenate([self.won.moments, self.lost.moments])
        closes: np.ndarray = both[both > NOWHERE]
        return closes


def find_closing_dates(dates: Sequence[Column]) -> ClosingDates | None:
    """The columns of dates that are called won and lost, if hardly any row has both."""
    won = _only_one(dates, words.WON, words.LOST)
    lost = _only_one(dates, words.LOST, words.WON)
    if won is None or lost is None:
        return None
    is_won = won.moments > NOWHERE
    is_lost = lost.moments > NOWHERE
    has_both = (is_won & is_lost).sum()
    is_closed = (is_won | is_lost).sum()
    if has_both > MOST_BOTH * is_closed:
        return None
    return ClosingDates(won, lost)


def _only_one(dates: Sequence[Column], called: str, not_called: str) -> Column | None:
    """The one column whose name has some of the first words and none of the others."""
    named = [
        column
        for column in dates
        if words.speaks_of(column.name, called) and not words.speaks_of(column.name, not_called)
    ]
    return named[0] if len(named) == 1 else None
