"""Which column says which leads were won and which lost, by its values and its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadscore.onboarding import words
from leadscore.onboarding.flags import is_yes_or_no
from leadscore.onboarding.profile import Column

MOST_OUTCOMES = 40  # distinct values of a column that may hold outcomes or stages


@dataclass(frozen=True)
class Outcome:
    """A column that says won and lost, the values that say so, and how sure we are."""

    column: Column
    won: list[str]
    lost: list[str]
    score: float


def find_outcome(columns: Sequence[Column]) -> Outcome | None:
    """The column that says won and lost, or None without one."""
    outcomes = [_read_outcome(column) for column in columns]
    clear = [outcome for outcome in outcomes if outcome is not None]
    return max(clear, key=lambda outcome: outcome.score, default=None)


def _read_outcome(column: Column) -> Outcome | None:
    """What a column says of won and lost: by its values or, if it is named so, by yes and no."""
    values = column.values
    if not 1 < len(values) <= MOST_OUTCOMES:
        return None
    won = [value for value in values if words.means_won(value)]
    lost = [value for value in values if words.means_lost(value)]
    named = _named_outcome(column)
    is_clear = bool(won and lost)
    says_yes_or_no = all(map(words.answers_yes_or_no, values))
    if not is_clear and named and says_yes_or_no:
        won = [value for value in values if value.casefold() in words.YES]
        lost = [value for value in values if value.casefold() in words.NO]
    elif words.are_win_and_loss(values):
        won = [value for value in values if value.casefold() == "w"]
        lost = [value for value in values if value.casefold() == "l"]
    if not (won and lost):
        return None
    score = 2 * named + _speaks_of_sales(column) - len(values) / MOST_OUTCOMES
    return Outcome(column, won, lost, score)


def _named_outcome(column: Column) -> int:
    """How many words of a column's name are called like outcomes; 0 if it is a BANT answer."""
    answers = " ".join(words.LETTERS.values())
    if words.speaks_of(column.name, answers):
        return 0
    return words.speaks_of(column.name, f"{words.OUTCOME} {words.WON}")


def _speaks_of_sales(column: Column) -> bool:
    """Whether the name or the values of a column say won and lost, not only approved or signed."""
    texts = [column.name, *column.values]
    return any(words.speaks_of(text, f"{words.SURELY_WON} {words.SURELY_LOST}") for text in texts)


def may_say_outcome(column: Column) -> bool:
    """Whether a column may say won and lost in ways that are not known."""
    if column.date_order is not None or not 1 < len(column.values) <= MOST_OUTCOMES:
        return False
    named = _named_outcome(column)
    names_ends = any(words.means_won(value) or words.means_lost(value) for value in column.values)
    return bool(named) or names_ends or is_yes_or_no(column)
