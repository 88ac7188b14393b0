"""The history in a store version, and the moments at which it can be split for evaluation.

A split is a moment K. Its earlier side is what a training at K would have learned from: features
and labels as known at K. Its later side starts at K and is what the model is evaluated on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.history.absences import add_seen
from leadscore.history.activities import read_activity_columns
from leadscore.history.chunks import take_leads
from leadscore.history.contacted import weigh_by_contact
from leadscore.history.facts import KnownFacts
from leadscore.history.irregular import count_irregular, count_rejected_stages
from leadscore.history.known import read_known_values
from leadscore.history.labels import build_final_side, build_side
from leadscore.history.lists import (
    build_final_list,
    build_grid,
    build_grid_list,
    build_open_list,
)
from leadscore.history.side import Side
from leadscore.history.snapshot import Snapshot
from leadscore.history.spells import build_spells
from leadscore.history.timelines import Remembered, read_lead_keys
from leadscore.history.visits import Span, count_visits
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion
from leadscore.times import DAY_US, FOREVER_US, name_moment

MAX_SPLITS = 6
MAX_TRIED = 40  # grid moments tried for splits: on a long daily grid neighbours hardly differ
# of the leads, before the first split: a model of few says little about one of all
FIRST_SHARE = 0.3
LAST_SHARE = 0.2  # of ordered leads, after the last split
CACHED_SPELLS = 8  # moments whose spells are remembered; each takes a row a lead


@dataclass(frozen=True)
class History:
    """A store version opened for looking back: answers rest on facts known before a moment.

    Ordered leads have places in their order instead of moments, and are known just after their own
    place. Leads without any order all have the same moment.
    """

    settings: Settings
    version: StoreVersion
    engine: Engine = field(repr=False)
    presence: pd.DataFrame | None = field(default=None, repr=False)
    given: pd.DataFrame | None = field(default=None, repr=False)  # see `weigh_by_contact`
    _spells: dict[int, pd.DataFrame] = field(default_factory=dict, repr=False)
    _timelines: Remembered = field(default_factory=dict, repr=False)

    @property
    def facts(self) -> KnownFacts:
        """Questions about single facts, each asked about a moment."""
        return KnownFacts(self.engine, read_activity_columns(self.settings))

    @cached_property
    def grid(self) -> np.ndarray:
        """All past moments of scoring, rising, int64 (n,)."""
        return build_grid(
            self.version.first_us,
            self.version.known_until_us,
            target=self.settings.target,
            seed=self.settings.seed,
            zone=self.settings.timezone,
        )

    def name(self, moment_us: int) -> str:
        """A moment in words."""
        return name_moment(moment_us, time=self.settings.time)

    def published_us(self, as_of_us: int) -> int | None:
        """The date on a list of scores: as_of; undated, the export's, if the settings state it."""
        return as_of_us if self.settings.is_dated else self.settings.known_until_us()

    def known_us(self, as_of_us: int) -> int:
        """The moment before which facts count for an as_of.

        After the export only time has passed, and what is dated later is a plan, not a fact.
        """
        return min(as_of_us, self.version.known_until_us)

    def spells(self, known_us: int) -> pd.DataFrame:
        """The spells as known at a moment (see `build_spells`)."""
        known_us = self.known_us(known_us)
        if known_us not in self._spells:
            if len(self._spells) >= CACHED_SPELLS:
                oldest = next(iter(self._spells))
                self._spells.pop(oldest)
            self._spells[known_us] = self._read_spells(known_us)
        return self._spells[known_us]

    def _read_spells(self, known_us: int) -> pd.DataFrame:
        spells = build_spells(
            self.engine,
            self.settings.stages,
            known_us=known_us,
            correction_days=self.settings.target.correction_days,
        )
        if self.presence is None:
            return spells
        return add_seen(spells, self.presence, known_us=known_us)

    def count_visits(self, span: Span, *, parts: pd.Series[str] | None = None) -> pd.DataFrame:
        """How visits to open stages ended, as known at a moment (see `visits.count_visits`).

        Args:
            span: in which they began.
            parts: of leads by lead_id, what each is counted under; default: all under one.
        """
        spells = self.spells(span.known_us)
        of_spell = None if parts is None else spells["lead_id"].map(parts).to_list()
        return count_visits(self.engine, self.settings.stages, spells, span, parts=of_spell)

    def count_irregular(self, span: Span, *, visits: int) -> dict[str, int]:
        """How many entries into stages began no visit, by why (see `history.irregular`)."""
        spells = self.spells(span.known_us)
        stages = self.settings.stages
        counts = count_irregular(self.engine, stages, spells, span, visits=visits)
        return counts | count_rejected_stages(self.engine, self.version)

    def open_list(self, as_of_us: int, *, among: np.ndarray | None = None) -> pd.DataFrame:
        """The leads open at `as_of_us`, by what was known then; of all or of some (k,)."""
        known_us = self.known_us(as_of_us)
        spells = self.spells(known_us)
        if among is not None:
            spells = take_leads(spells, among)
        rows = build_open_list(spells, as_of_us=as_of_us)
        return rows.assign(known_us=known_us)

    def known_values(
        self,
        names: Sequence[str],
        *,
        as_of_us: int,
        lead_id: np.ndarray | None = None,
    ) -> pa.Table:
        """The values of fields known at a moment, by lead (see `read_known_values`)."""
        known_us = self.known_us(as_of_us)
        return read_known_values(self.engine, names, as_of_us=known_us, lead_id=lead_id)

    def snapshot(self, rows: pd.DataFrame) -> Snapshot:
        """The door to the past for a list of snapshots."""
        return Snapshot(
            engine=self.engine,
            rows=rows,
            stages=self.settings.stages,
            created=tuple(sorted(self.settings.fields_of_leads())),
            chunk_rows=self.settings.engine.chunk_snapshots,
            identical_rows=self.settings.identical_rows(),
            activities=read_activity_columns(self.settings),
            exported_us=self.version.known_until_us,
            keys=read_lead_keys(self.settings),
            remembered=self._timelines,
        )

    def side(self, name: str, *, from_us: int, to_us: int, known_us: int) -> Side:
        """The snapshots with from_us <= as_of < to_us, labelled as known at `known_us` >= to_us.

        Undated: one snapshot of each closed lead whose place is in that range.
        """
        spells = self.spells(known_us)
        if not self.settings.is_dated:
            is_inside = spells["start_us"].between(from_us, to_us, inclusive="left")
            rows = build_final_list(spells[is_inside])
            return build_final_side(name, rows, spells, known_us=known_us)

        first, past_last = np.searchsorted(self.grid, [from_us, to_us])
        moments = self.grid[first:past_last]
        return self._label_grid(name, spells, moments, known_us=known_us)

    def _label_grid(
        self,
        name: str,
        spells: pd.DataFrame,
        moments: np.ndarray,
        *,
        known_us: int,
    ) -> Side:
        """The sampled snapshots of spells at grid moments, labelled as known at `known_us`."""
        target = self.settings.target
        sampled = build_grid_list(spells, moments, target=target, seed=self.settings.seed)
        rows = weigh_by_contact(sampled, self.given)
        return build_side(name, rows, spells, known_us=known_us, target=target)

    def relabel(self, rows: pd.DataFrame, *, known_us: int) -> Side:
        """Earlier snapshots labelled and weighted by what was known at a moment.

        Snapshots of spells that were not known then are left out.

        Args:
            rows: `KEYS`, grid_weight, and any columns beside.
            known_us: the moment.
        """
        spells = self.spells(known_us)
        known = spells[["lead_id", "spell"]]
        rows = rows.merge(known, on=["lead_id", "spell"], validate="many_to_one")
        name = f"snapshots before {self.name(known_us)}"
        target = self.settings.target
        return build_side(name, rows, spells, known_us=known_us, target=target)

    def earlier_side(self, moment_us: int) -> Side:
        """All that could be learned at a moment: earlier snapshots, with labels as known then."""
        name = f"history before {self.name(moment_us)}"
        return self.side(name, from_us=self.version.first_us, to_us=moment_us, known_us=moment_us)

    def later_side(self, moment_us: int, *, to_us: int, known_us: int) -> Side:
        """The snapshots from a moment on and before `to_us`, with labels as known at `known_us`."""
        name = f"snapshots from {self.name(moment_us)}"
        return self.side(name, from_us=moment_us, to_us=to_us, known_us=known_us)

    def places(self, known_us: int, *, shares: Sequence[float]) -> list[int]:
        """The places, rising, before which such shares of the leads closed at a moment lie."""
        spells = self.spells(known_us)
        is_closed = spells["close_us"] < known_us
        starts = spells.loc[is_closed, "start_us"]
        closed = np.sort(starts.to_numpy())
        if not len(closed):
            return []
        ranks = (np.array(shares) * len(closed)).astype(int)
        distinct = np.unique(closed[ranks])
        places: list[int] = distinct.tolist()
        return places

    def split_moments(self, known_us: int, *, least: int, least_later: int) -> list[int]:
        """Up to `MAX_SPLITS` moments, evenly spread, at which history as known at K can be split.

        Both sides of each have enough follow-up. Neither condition on outcomes is monotone in time,
        so the last moment is the latest that meets both, and the others are spread over those that
        do. Without an order there is none.

        Args:
            known_us: K.
            least: snapshots of either outcome that the earlier side needs.
            least_later: leads of either outcome that the later side needs, counted by weight: a few
                leads that stand for many censored ones are still few.
        """
        if self.settings.time == "none":
            return []
        if self.settings.is_dated:
            moments = self._screen_moments(known_us, least=least, least_later=least_later)
        else:
            moments = self._list_places(known_us, least_later)
        return [moment for moment in moments if self._can_train(moment, least)]

    def _list_places(self, known_us: int, least_later: int) -> list[int]:
        """Places in the order of leads whose later side can be evaluated."""
        shares = np.linspace(FIRST_SHARE, 1 - LAST_SHARE, MAX_SPLITS)
        places = self.places(known_us, shares=shares.tolist())
        return [place for place in places if self._can_evaluate(place, known_us, least_later)]

    def _screen_moments(
        self,
        known_us: int,
        *,
        least: int,
        least_later: int,
    ) -> list[int]:
        """Dated moments to split at, found by the spells as known at K.

        Each moment's own spells would cost a query. The last one is checked by them, too.
        """
        horizon_us = self.settings.target.horizon_days * DAY_US
        has_past = self.grid >= self.version.first_us + horizon_us
        has_future = self.grid <= known_us - horizon_us
        moments = self.grid[has_past & has_future].tolist()

        @cache
        def screened(moment_us: int) -> _Screened:
            side = self._screened_side(moment_us, known_us)
            leads = sum(side.count_leads())
            return _Screened(side.can_train(least), leads)

        @cache
        def is_admissible(moment_us: int) -> bool:
            can_evaluate = self._can_evaluate(moment_us, known_us, least_later)
            return can_evaluate and screened(moment_us).can_train

        def is_last(moment_us: int) -> bool:
            return is_admissible(moment_us) and self._can_train(moment_us, least)

        while moments and not is_last(moments[-1]):
            moments.pop()
        tried = _spread_evenly(moments, MAX_TRIED)
        admissible = [moment for moment in tried if is_admissible(moment)]
        leads = [screened(moment).leads for moment in admissible]
        of_all = screened(known_us).leads
        late_enough = _late_enough(admissible, leads, of_all=of_all)
        return _spread_evenly(late_enough, MAX_SPLITS)

    def _can_train(self, moment_us: int, least: int) -> bool:
        earlier = self.earlier_side(moment_us)
        return earlier.can_train(least)

    def _can_evaluate(self, moment_us: int, known_us: int, least_later: int) -> bool:
        later = self.later_side(moment_us, to_us=known_us, known_us=known_us)
        return later.can_evaluate(least_later)

    def _screened_side(self, moment_us: int, known_us: int) -> Side:
        """The earlier side of a moment, from the spells as known at K and cut off at the moment.

        It differs from the earlier side only where a close was corrected after the moment.
        """
        spells = self.spells(known_us)
        spells = spells[spells["start_us"] < moment_us]
        is_open = spells["close_us"] >= moment_us
        cut = spells.assign(
            earliest_us=spells["earliest_us"].mask(is_open, FOREVER_US),
            close_us=spells["close_us"].mask(is_open, FOREVER_US),
            won=spells["won"] & ~is_open,
        )
        moments = self.grid[self.grid < moment_us]
        return self._label_grid("screened", cut, moments, known_us=moment_us)


@dataclass(frozen=True)
class _Screened:
    """What the screened earlier side of a moment comes to.

    Attributes:
        can_train: whether a model can be trained on it.
        leads: how many labelled leads it has of both outcomes together.
    """

    can_train: bool
    leads: int


def _late_enough(moments: list[int], leads: list[int], *, of_all: int) -> list[int]:
    """Of rising moments those with `FIRST_SHARE` of all labelled leads before them.

    The latest if they are few.

    A model of few leads makes mistakes that calibration would then correct in a model of all,
    which has not got them.

    Args:
        moments: (n,) to choose from.
        leads: (n,) labelled leads before each.
        of_all: labelled leads.
    """
    needed = FIRST_SHARE * of_all
    late = []
    for moment, before in zip(moments, leads, strict=True):
        if before >= needed:
            late.append(moment)
    return late if len(late) >= MAX_SPLITS else moments[-MAX_SPLITS:]


def _spread_evenly(moments: list[int], most: int) -> list[int]:
    """At most so many of rising moments, evenly spread, with the first and the last."""
    n = min(most, len(moments))
    last = len(moments) - 1
    places = np.linspace(0, last, n).round()
    distinct = np.unique(places.astype(int))
    return [moments[place] for place in distinct]
