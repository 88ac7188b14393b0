"""A lead's spells from its facts one by one: the plain state machine that `history.replayed` is checked against."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from leadscore.times import FOREVER_US

Place = tuple[int, int]  # (event_us, seq): seq orders the stages of one moment; an outcome is last
NEVER: Place = (-FOREVER_US, 0)


class Fact(NamedTuple):
    """A close, or the entry into an open stage.

    A close without a usable date lies between `earliest_us` and `available_us`.
    """

    available_us: int
    earliest_us: int
    happened: Place
    is_open: bool
    won: bool


class Spell(NamedTuple):
    """A time during which a lead was open; see `build_spells`."""

    lead_id: str
    spell: int
    start_us: int
    earliest_us: int
    close_us: int
    won: bool


def facts_of_rows(rows: pd.DataFrame) -> Iterator[Fact]:
    names = ("available_us", "earliest_us", "event_us", "seq", "is_open", "won")
    columns = (rows[name].tolist() for name in names)
    for available_us, earliest_us, event_us, seq, is_open, won in zip(*columns, strict=True):
        yield Fact(
            available_us,
            earliest_us,
            happened=(event_us, seq),
            is_open=bool(is_open),
            won=bool(won),
        )


def replay_lead(
    lead_id: str,
    start_us: int,
    facts: Iterable[Fact],
    *,
    within_us: int,
) -> list[Spell]:
    """The spells of one lead, from its facts in the order in which they became known."""
    spells: list[Spell] = []
    is_open = True
    opened: Place | None = None  # when the event that opened this spell happened; None: creation
    latest_open = NEVER  # when the latest open stage happened
    closed = NEVER  # when the close that counts happened

    for fact in facts:
        is_of_spell = opened is None or fact.happened >= opened
        if fact.is_open:
            latest_open = max(latest_open, fact.happened)
        elif is_open and is_of_spell:
            earliest_us = max(fact.earliest_us, start_us)
            end = (earliest_us, fact.available_us, fact.won)
            spells.append(Spell(lead_id, len(spells) + 1, start_us, *end))
            is_open = False
            closed = fact.happened
        else:  # a close of an earlier spell, or one more while closed: it moves what "later" means
            closed = max(closed, fact.happened)
            is_correction = not is_open and is_of_spell
            if is_correction and fact.available_us <= spells[-1].close_us + within_us:
                spells[-1] = spells[-1]._replace(won=fact.won)

        if not is_open and latest_open > closed:
            is_open = True
            start_us = fact.available_us
            opened = latest_open

    if is_open:
        end = (FOREVER_US, FOREVER_US, False)
        spells.append(Spell(lead_id, len(spells) + 1, start_us, *end))
    return spells
