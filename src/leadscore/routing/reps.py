"""The reps of a run as arrays: their capacity, who is on leave, and their free slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.times import format_us

UNIT = 1_000_000  # millionths: of an average lead, and of a share
STEPS = 10  # steps of fullness, over which the fairness bonus falls to 0


@dataclass(frozen=True)
class Reps:
    """The reps (r,) in the order of rep_id, and how many leads each can be given in this run.

    Attributes:
        rows: the table in the shape of `REPS`.
        rep_id: (r,) text.
        team: (r,) text, "" for none.
        capacity: (r,) leads a period.
        load: (r,) leads already taken in this period.
        away: (r,) whether the rep is on leave.
        slots: (r,) what capacity, load, leave and the maximum share leave free.
        minimum: (r,) the minimum share in leads, as asked for; `grant_shares` lowers it to what can
            be met.
        steps: (r, STEPS) the slots by fullness, those of an idle rep first.
    """

    rows: pa.Table
    rep_id: np.ndarray
    team: np.ndarray
    capacity: np.ndarray
    load: np.ndarray
    away: np.ndarray
    slots: np.ndarray
    minimum: np.ndarray
    steps: np.ndarray

    @property
    def is_capped(self) -> np.ndarray:
        """Whose maximum share (r,) allows fewer leads than capacity and load do."""
        free = self.capacity - self.load
        return np.asarray((self.slots < free) & ~self.away)

    def leave_ends(self, rep: int) -> str | None:
        """The day on which the leave of a rep ends, as YYYY-MM-DD; None if it is open."""
        ends_us = self.rows["away_until"].cast(pa.int64())
        end_us = ends_us[rep].as_py()
        return None if end_us is None else format_us(end_us)[:10]

    def count(self, rep: np.ndarray) -> np.ndarray:
        """How many leads each rep (r,) is given by `rep` (n,), where -1 is nobody."""
        given = rep[rep >= 0]
        return np.bincount(given, minlength=len(self.rep_id))

    def fill_steps(self, taken: np.ndarray) -> np.ndarray:
        """How many slots of each step (r, STEPS) so many leads (r,) fill, from the first step on."""
        before = np.cumsum(self.steps, axis=1) - self.steps
        left = taken[:, None] - before
        return np.asarray(np.clip(left, 0, self.steps))


def build_reps(
    rows: pa.Table,
    *,
    leads: int,
    as_of_us: int,
) -> Reps:
    """The reps with their free slots, in a run that routes `leads` leads.

    Shares are of the leads that can be assigned: of `leads`, or of all free slots if these are
    fewer.
    """
    rows = rows.sort_by("rep_id")
    capacity = rows["capacity"].to_numpy()
    load = rows["load"].to_numpy()
    away = is_away(rows, as_of_us)

    free = np.maximum(capacity - load, 0)
    free[away] = 0
    assignable = min(leads, int(free.sum()))
    at_most = to_units(rows["max_share"]) * assignable // UNIT
    at_least = -(-to_units(rows["min_share"]) * assignable // UNIT)  # rounded up
    slots = np.minimum(free, at_most)
    team = rows["team"].fill_null("").to_pylist()
    return Reps(
        rows=rows,
        rep_id=rows["rep_id"].to_numpy(),
        team=np.array(team, dtype=object),
        capacity=capacity,
        load=load,
        away=away,
        slots=slots,
        minimum=np.where(away, 0, at_least),
        steps=_split_by_fullness(capacity, load, slots),
    )


def to_units(shares: pa.ChunkedArray) -> np.ndarray:
    """Shares (r,) in whole millionths, so that products with counts are exact."""
    millionths = shares.to_numpy() * UNIT
    return np.asarray(np.rint(millionths), dtype=np.int64)


def _split_by_fullness(
    capacity: np.ndarray,
    load: np.ndarray,
    slots: np.ndarray,
) -> np.ndarray:
    """The slots by step (r, STEPS), each a tenth of the capacity; the load comes first."""
    start = load[:, None]
    end = (load + slots)[:, None]
    steps = np.arange(1, STEPS + 1)
    tenths = capacity[:, None] * steps // STEPS
    edges = np.clip(tenths, start, end)
    return np.diff(edges, axis=1, prepend=start)


def is_away(rows: pa.Table, as_of_us: int) -> np.ndarray:
    """Who is on leave at as_of (r,); a leave without a start or an end is open on that side."""
    start = rows["away_from"].cast(pa.int64())
    end = rows["away_until"].cast(pa.int64())
    has_leave = pc.or_(start.is_valid(), end.is_valid())
    has_begun = pc.less_equal(start, as_of_us).fill_null(True)
    not_over = pc.greater_equal(end, as_of_us).fill_null(True)
    is_now = pc.and_(has_begun, not_over)
    return np.asarray(pc.and_(has_leave, is_now))
