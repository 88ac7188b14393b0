"""The leads that the audit looks at, with their outcomes as known at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from leadscore.history.split import History
from leadscore.times import DAY_US, FOREVER_US

MOST_JUDGED = 50_000  # closed leads that outcomes are compared on
BLOCK_LEADS = 400  # closed leads in a block of time, so that each has wins and losses to compare
MOST_BLOCKS = 20
TIME_LEADS = 20  # closed leads in a finer block: shares need no pairs, but leads of nearly one time
MOST_TIMES = 500


@dataclass(frozen=True)
class Leads:
    """All leads known before a moment, n of them, by lead_id.

    Attributes:
        lead_id: (n,) text.
        created_us: (n,) when they were created; undated, their place in the order, or 0.
        close_us: (n,) when they first closed, `FOREVER_US` while open.
        label: (n,) 1 won, 0 lost, NaN open; NaN also for a re-opened lead, whose fields say what is
            true now.
        is_open: (n,) never closed.
        known_us: the moment.
        dated: whether times are moments.
        undated: (n,) leads without a creation date in a dated history.
    """

    lead_id: np.ndarray
    created_us: np.ndarray
    close_us: np.ndarray
    label: np.ndarray
    is_open: np.ndarray
    known_us: int
    dated: bool
    undated: np.ndarray

    @property
    def has_label(self) -> np.ndarray:
        """Which leads (n,) are known to be won or lost."""
        return np.asarray(~np.isnan(self.label))

    @cached_property
    def judged(self) -> np.ndarray:
        """The places (m,) of the leads that outcomes are compared on: closed ones, or a sample."""
        closed = np.flatnonzero(self.has_label)
        return take_smallest_hashes(self, closed, most=MOST_JUDGED)

    @cached_property
    def block(self) -> np.ndarray:
        """Block of time (n,) of each lead, within which leads are ranked."""
        return self._cut(BLOCK_LEADS, most=MOST_BLOCKS)

    @cached_property
    def time(self) -> np.ndarray:
        """A finer block of time (n,), whose leads can expect much the same win rate."""
        return self._cut(TIME_LEADS, most=MOST_TIMES)

    def _cut(self, size: int, *, most: int) -> np.ndarray:
        """Blocks (n,) from 0 on, of `size` closed leads each.

        They hold more leads each where there would be too many blocks.
        """
        closed = np.sort(self.created_us[self.has_label])
        if not len(closed):
            return np.zeros(len(self.created_us), dtype=np.int64)
        blocks = int(np.clip(len(closed) // size, 1, most))
        first_of_block = np.arange(1, blocks) * len(closed) // blocks
        cuts = np.unique(closed[first_of_block])
        return np.searchsorted(cuts, self.created_us, side="right")

    @cached_property
    def has_order(self) -> bool:
        """Whether the leads come one after another."""
        created_us = self.created_us
        return len(created_us) > 0 and bool(created_us.min() < created_us.max())


def take_smallest_hashes(leads: Leads, rows: np.ndarray, *, most: int) -> np.ndarray:
    """At most so many of these places, rising: those of the leads with the smallest hashes."""
    if len(rows) <= most:
        return rows
    hashes = pd.util.hash_array(leads.lead_id[rows])
    smallest = np.argsort(hashes, kind="stable")[:most]
    return np.sort(rows[smallest])


def days_open(leads: Leads, rows: np.ndarray) -> np.ndarray:
    """Days (rows,) from creation to the close."""
    open_us = leads.close_us[rows] - leads.created_us[rows]
    return np.asarray(open_us / DAY_US)


def read_leads(history: History, *, known_us: int) -> Leads:
    """The leads known before a moment, and how they closed as far as was known by then."""
    spells = history.spells(known_us)
    first_spells = spells[spells["spell"] == 1]
    created = history.facts.creations(known_us)
    rows = created.merge(first_spells, on="lead_id", validate="one_to_one")
    rows = rows.sort_values("lead_id", ignore_index=True)

    close_us = rows["close_us"].to_numpy(dtype=np.int64)
    is_open = close_us == FOREVER_US
    later_spells = spells[spells["spell"] > 1]
    is_reopened = rows["lead_id"].isin(later_spells["lead_id"]).to_numpy()
    won = rows["won"].to_numpy(dtype=np.float64)

    created_us = rows["event_us"].to_numpy(dtype=np.int64)
    is_dated = history.settings.is_dated
    return Leads(
        lead_id=rows["lead_id"].to_numpy(dtype=object),
        created_us=created_us,
        close_us=close_us,
        label=np.where(is_open | is_reopened, np.nan, won),
        is_open=is_open,
        known_us=known_us,
        dated=is_dated,
        undated=is_dated & (created_us >= history.version.known_until_us - 1),
    )
