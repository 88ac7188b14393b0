"""The spells of leads that were re-opened: their facts replayed, those of all leads side by side.

Step k reads the k-th fact of every lead that has one, in the order in which they became known, so
it takes as many steps as the busiest lead has facts, however many leads there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from leadscore.times import FOREVER_US

CREATION = NEVER = -1  # places before those of all facts


@dataclass(frozen=True)
class Facts:
    """Closes, and entries into open stages (n,), by lead and then as they became known.

    Attributes:
        lead: whose fact it is, rising from 0 on.
        available_us: when it was known.
        earliest_us: a close without a usable date lies between this and `available_us`.
        place: when it happened, as a rank among all facts; equal for equal moments.
        is_open: whether it is the entry into an open stage, else it is a close.
        won: whether it is a win.
    """

    lead: np.ndarray
    available_us: np.ndarray
    earliest_us: np.ndarray
    place: np.ndarray
    is_open: np.ndarray
    won: np.ndarray

    def steps(self) -> Iterator[np.ndarray]:
        """The positions of the first fact of each lead, then of the second ones, and so on."""
        first = np.searchsorted(self.lead, self.lead, side="left")
        within = np.arange(len(self.lead)) - first
        in_steps = np.argsort(within, kind="stable")
        ends = np.cumsum(np.bincount(within))
        yield from np.split(in_steps, ends[:-1])


@dataclass(frozen=True)
class Spells:
    """Spells (k,) as `build_spells` has them, in no order; `lead` as of `Facts`."""

    lead: np.ndarray
    spell: np.ndarray
    start_us: np.ndarray
    earliest_us: np.ndarray
    close_us: np.ndarray
    won: np.ndarray


def rank_places(event_us: np.ndarray, seq: np.ndarray) -> np.ndarray:
    """The rank (n,) of each moment, within it of its seq, from 0 on; equal where both are.

    >>> rank_places(np.array([20, 10, 20, 20]), np.array([1, 5, 0, 1])).tolist()
    [2, 0, 1, 2]
    """
    order = np.lexsort((seq, event_us))
    event_us = event_us[order]
    seq = seq[order]

    is_later = np.zeros(len(order), dtype=bool)
    is_later[1:] = (np.diff(event_us) > 0) | (np.diff(seq) > 0)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.cumsum(is_later)
    return rank


def replay(facts: Facts, start_us: np.ndarray, *, within_us: int) -> Spells:
    """The spells of leads (m,) that began at `start_us`; see `build_spells` for what ends one.

    A close within `within_us` of the one that ended a spell corrects its outcome.
    """
    most = len(facts.lead) + len(start_us)
    replaying = _Replaying.begin(start_us, most=most)
    for at in facts.steps():
        replaying.read(facts, at, within_us=within_us)
    return replaying.end()


@dataclass
class _Replaying:
    """How leads (m,) stand after some facts, and their spells so far (in the first `n` places).

    Attributes:
        is_open: whether the lead is open.
        start_us: when its last spell began.
        opened: place of the event that opened it; `CREATION` for the first spell.
        latest_open: place of the latest entry into an open stage.
        closed: place of the close that counts.
        number: how many spells have ended.
        last: position of the last of these.
        spells: all that have ended.
        n: how many these are.
    """

    is_open: np.ndarray
    start_us: np.ndarray
    opened: np.ndarray
    latest_open: np.ndarray
    closed: np.ndarray
    number: np.ndarray
    last: np.ndarray
    spells: Spells
    n: int = 0

    @classmethod
    def begin(cls, start_us: np.ndarray, *, most: int) -> _Replaying:
        """All leads are open since they were known."""
        m = len(start_us)
        never = np.full(m, NEVER)
        nothing = np.zeros(most, dtype=np.int64)
        spells = {field.name: nothing.copy() for field in fields(Spells)}
        spells["won"] = nothing.astype(bool)
        return cls(
            is_open=np.ones(m, dtype=bool),
            start_us=start_us.copy(),
            opened=np.full(m, CREATION),
            latest_open=never,
            closed=never.copy(),
            number=np.zeros(m, dtype=np.int64),
            last=np.zeros(m, dtype=np.int64),
            spells=Spells(**spells),
        )

    def read(self, facts: Facts, at: np.ndarray, *, within_us: int) -> None:
        """Take in one fact each of some leads."""
        lead = facts.lead[at]
        place = facts.place[at]
        opens = facts.is_open[at]
        was_open = self.is_open[lead]
        is_of_spell = place >= self.opened[lead]

        closes = ~opens & is_of_spell
        ends = closes & was_open
        corrects = closes & ~was_open
        comes_late = ~opens & ~ends  # a close of an earlier spell, or one more while closed

        self._raise(self.latest_open, lead[opens], place[opens])
        self._correct(facts, at[corrects], within_us=within_us)
        self._raise(self.closed, lead[comes_late], place[comes_late])
        self._end_spells(facts, at[ends])
        self._reopen(lead, facts.available_us[at])

    def _raise(self, places: np.ndarray, lead: np.ndarray, place: np.ndarray) -> None:
        places[lead] = np.maximum(places[lead], place)

    def _correct(self, facts: Facts, at: np.ndarray, *, within_us: int) -> None:
        lead = facts.lead[at]
        last = self.last[lead]
        until_us = self.spells.close_us[last] + within_us
        is_in_time = facts.available_us[at] <= until_us
        corrected = last[is_in_time]
        self.spells.won[corrected] = facts.won[at[is_in_time]]

    def _end_spells(self, facts: Facts, at: np.ndarray) -> None:
        lead = facts.lead[at]
        earliest_us = np.maximum(facts.earliest_us[at], self.start_us[lead])
        self._add(lead, earliest_us, facts.available_us[at], facts.won[at])
        self.is_open[lead] = False
        self.closed[lead] = facts.place[at]

    def _add(
        self,
        lead: np.ndarray,
        earliest_us: np.ndarray,
        close_us: np.ndarray,
        won: np.ndarray,
    ) -> None:
        new = np.arange(self.n, self.n + len(lead))
        self.n += len(lead)
        self.number[lead] += 1
        self.last[lead] = new
        self.spells.lead[new] = lead
        self.spells.spell[new] = self.number[lead]
        self.spells.start_us[new] = self.start_us[lead]
        self.spells.earliest_us[new] = earliest_us
        self.spells.close_us[new] = close_us
        self.spells.won[new] = won

    def _reopen(self, lead: np.ndarray, known_us: np.ndarray) -> None:
        is_closed = ~self.is_open[lead]
        opens_later = self.latest_open[lead] > self.closed[lead]
        is_reopened = is_closed & opens_later
        reopened = lead[is_reopened]
        self.is_open[reopened] = True
        self.start_us[reopened] = known_us[is_reopened]
        self.opened[reopened] = self.latest_open[reopened]

    def end(self) -> Spells:
        """All spells, those that are still open included."""
        lead = np.flatnonzero(self.is_open)
        forever_us = np.full(len(lead), FOREVER_US)
        not_won = np.zeros(len(lead), dtype=bool)
        self._add(lead, forever_us, forever_us, not_won)
        columns = vars(self.spells).values()
        return Spells(*(column[: self.n] for column in columns))
