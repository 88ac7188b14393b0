"""Columns of yes and no beside the outcome, which say which leads have closed or were lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.onboarding import words
from leadscore.onboarding.profile import Column, among

MOSTLY = 0.95


@dataclass(frozen=True)
class Flag:
    """A column that says which leads have closed, or only which were lost, and its values that say so."""

    column: Column
    yes: list[str]
    is_of_losses: bool = False

    def is_set(self) -> np.ndarray:
        """Which rows (n,) it says yes of."""
        return among(self.column, self.yes)


def find_flag(
    columns: Sequence[Column], outcome: Column, won: list[str], lost: list[str]
) -> Flag | None:
    """A column of yes and no that is called closed: yes for all that was won, but not for all that was lost.

    Values that speak of a win, such as a verbal one, may all be open as well.
    """
    is_lost = among(outcome, lost)
    for column in columns:
        named = words.speaks_of(column.name, f"{words.CLOSED} {words.ENDED}")
        if column is outcome or not named or not is_yes_or_no(column):
            continue
        yes = [value for value in column.values if value.casefold() in words.YES]
        is_closed = among(column, yes)
        closed = [value for value in won if is_closed[among(outcome, [value])].any()]
        if not closed or is_closed[among(outcome, closed)].mean() < MOSTLY:
            continue
        if closed != won or not is_closed[is_lost].all():
            return Flag(column, yes)
    return _find_flag_of_losses(columns, outcome, won)


def _find_flag_of_losses(columns: Sequence[Column], outcome: Column, won: list[str]) -> Flag | None:
    """A column of yes and no that is called lost beside one that says won: leads with neither are open."""
    if not is_yes_or_no(outcome):
        return None
    is_won = among(outcome, won)
    for column in columns:
        if not words.speaks_of(column.name, words.LOST) or not is_yes_or_no(column):
            continue
        yes = [value for value in column.values if value.casefold() in words.YES]
        flag = Flag(column, yes, is_of_losses=True)
        if yes and not (flag.is_set() & is_won).any():
            return flag
    return None


def is_yes_or_no(column: Column) -> bool:
    """Whether all values of a column are yes or no."""
    return set(map(str.casefold, column.values)) <= words.YES | words.NO
