"""Leads and what they did: the records that the world draws, as parallel arrays.

Times are working time, or whole UTC seconds where the name ends in `_s`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from leadscore.sample.work_time import UNTIL_TAU
from leadscore.sample.world import UNTIL_S, Array


@dataclass(frozen=True)
class Spells:
    """Spells (m,) in which a lead is open, ordered by lead. A spell may end after UNTIL."""

    lead: Array
    start: Array
    end: Array
    end_s: Array
    won: Array
    gap: Array  # since the loss before it; NaN for a first spell

    def closed(self) -> Array:
        """The positions of those that ended before UNTIL."""
        return np.flatnonzero(self.end_s < UNTIL_S)

    def seen_end(self) -> Array:
        """Where each ends, or UNTIL if that is earlier."""
        return np.asarray(np.minimum(self.end, UNTIL_TAU))


@dataclass(frozen=True)
class Events:
    """Activities and answers (k,): the spell, which stream, which of its marks, and when."""

    spell: Array
    stream: Array
    mark: Array
    tau: Array
    seconds: Array


@dataclass(frozen=True)
class Stays:
    """Stays in a stage (j,); `step` is 1 or -1 for the move that ended it, 0 if the lead closed."""

    spell: Array
    start: Array
    end: Array
    stage: Array
    step: Array


@dataclass(frozen=True)
class Crowd:
    """Leads (n,) drawn together, and everything that happens to them."""

    ids: pa.Array
    lead_class: Array
    created_s: Array
    attributes: dict[str, Array]  # attribute -> which of its values (n,)
    spells: Spells
    events: Events
    responses: dict[str, Array]  # kind -> when the lead answered an event, infinite if never (k,)
    stays: Stays

    def lead_of_events(self) -> Array:
        """The position of the lead of each event (k,)."""
        return np.asarray(self.spells.lead[self.events.spell])

    def ids_of(self, lead: Array) -> pa.Array:
        """The ids of leads by their positions."""
        return self.ids.take(pa.array(lead))
