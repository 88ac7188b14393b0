"""History at a store version, and its splits: moments K with an earlier side to learn from and a later to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.errors import KnownFromError, TimeModeError
from leadscore.history.absences import add_seen, read_presence
from leadscore.history.closes import attach_closes
from leadscore.history.facts import KnownFacts
from leadscore.history.known import read_known_values
from leadscore.history.labels import Side, build_final_side, build_side
from leadscore.history.snapshot import (
    Snapshot,
    build_final_list,
    build_grid,
    build_grid_list,
    build_open_list,
)
from leadscore.history.spells import build_spells
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion
from leadscore.tables import CHANGES, TABLES
from leadscore.times import DAY_US, FOREVER_US, name_moment

MAX_SPLITS = 6
MAX_TRIED = (
    40  # grid moments tried for earlier splits: on a long daily grid neighbours hardly differ
)
FIRST_SHARE = (
    0.3  # of the leads, before the first split: a model of few is no measure of the one of all
)
LAST_SHARE = 0.2  # of ordered leads, after the last split
KEPT_SPELLS = 8  # of the moments asked about lately; each holds a row a lead


@dataclass(frozen=True)
class History:
    """A store version opened for looking back; every answer rests on facts known before the moment asked about.

    Ordered leads have places for moments, and are known just after their own; without any order all have one moment.
    """

    settings: Settings
    version: StoreVersion
    engine: Engine = field(repr=False)
    presence: pd.DataFrame | None = field(default=None, repr=False)
    _spells: dict[int, pd.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def facts(self) -> KnownFacts:
        """Questions about the tables, each asked about a moment."""
        return KnownFacts(self.engine)

    @cached_property
    def grid(self) -> np.ndarray:
        """All past moments of scoring, int64 (n,)."""
        s = self.settings
        until = self.version.known_until_us
        return build_grid(
            self.version.first_us, until, target=s.target, seed=s.seed, zone=s.timezone
        )

    def name(self, moment_us: int) -> str:
        """A moment in words."""
        return name_moment(moment_us, time=self.settings.time)

    def published_us(self, as_of_us: int) -> int | None:
        """The date that a list of scores bears: as_of, or, undated, the stated moment of the export, if any."""
        return as_of_us if self.settings.is_dated else self.settings.known_until_us()

    def known_us(self, as_of_us: int) -> int:
        """Up to when facts count for an as_of: later than the export only time has passed, and plans are no facts."""
        return min(as_of_us, self.version.known_until_us)

    def spells(self, known_us: int) -> pd.DataFrame:
        """The spells as known at a moment (see `build_spells`)."""
        known_us = self.known_us(known_us)
        if known_us not in self._spells:
            if len(self._spells) >= KEPT_SPELLS:
                self._spells.pop(next(iter(self._spells)))
            s = self.settings
            spells = build_spells(
                self.engine, s.stages, known_us=known_us, correction_days=s.target.correction_days
            )
            if self.presence is not None:
                spells = add_seen(spells, self.presence, known_us=known_us)
            self._spells[known_us] = spells
        return self._spells[known_us]

    def open_list(self, as_of_us: int) -> pd.DataFrame:
        """The leads open at `as_of_us`, by what was known then."""
        known_us = self.known_us(as_of_us)
        return build_open_list(self.spells(known_us), as_of_us=as_of_us).assign(known_us=known_us)

    def known_values(self, names: Sequence[str], *, as_of_us: int) -> pa.Table:
        """The value of each named field that was known at a moment, by lead (see `read_known_values`)."""
        return read_known_values(self.engine, names, as_of_us=self.known_us(as_of_us))

    def snapshot(self, rows: pd.DataFrame) -> Snapshot:
        """The door to the past for a list of snapshots."""
        s = self.settings
        created = tuple(sorted(s.fields_of_leads()))
        return Snapshot(
            self.engine,
            rows,
            s.stages,
            created,
            s.engine.chunk_snapshots,
            identical_rows=s.identical_rows(),
        )

    def side(self, name: str, *, from_us: int, to_us: int, known_us: int) -> Side:
        """The snapshots with from_us <= as_of < to_us, labelled by what was known at `known_us` >= to_us.

        Without dates: one of each closed lead whose place is in that range.
        """
        s = self.settings
        spells = self.spells(known_us)
        if not s.is_dated:
            inside = spells[(spells["start_us"] >= from_us) & (spells["start_us"] < to_us)]
            return build_final_side(name, build_final_list(inside), spells, known_us=known_us)
        within = self.grid[(self.grid >= from_us) & (self.grid < to_us)]
        rows = build_grid_list(spells, within, target=s.target, seed=s.seed)
        return build_side(name, rows, spells, known_us=known_us, target=s.target)

    def relabel(self, rows: pd.DataFrame, *, known_us: int) -> Side:
        """Snapshots of before a moment, labelled and weighed by what was known at it; its spells only.

        `rows` has `KEYS`, grid_weight, and any columns beside.
        """
        spells = self.spells(known_us)
        rows = rows.merge(
            spells[["lead_id", "spell"]], on=["lead_id", "spell"], validate="many_to_one"
        )
        name = f"snapshots before {self.name(known_us)}"
        return build_side(name, rows, spells, known_us=known_us, target=self.settings.target)

    def earlier_side(self, moment_us: int) -> Side:
        """All that could be learned at a moment: snapshots before it, labels as known at it."""
        name = f"history before {self.name(moment_us)}"
        return self.side(name, from_us=self.version.first_us, to_us=moment_us, known_us=moment_us)

    def later_side(self, moment_us: int, *, to_us: int, known_us: int) -> Side:
        """The snapshots from a moment on until `to_us`, labels as known at `known_us`."""
        return self.side(
            f"snapshots from {self.name(moment_us)}",
            from_us=moment_us,
            to_us=to_us,
            known_us=known_us,
        )

    def places(self, known_us: int, *, shares: Sequence[float]) -> list[int]:
        """The places, rising, before which such shares of the leads lie that were closed at a moment."""
        spells = self.spells(known_us)
        closed = np.sort(spells.loc[spells["close_us"] < known_us, "start_us"].to_numpy())
        at = (np.array(shares) * len(closed)).astype(int)
        return [int(place) for place in np.unique(closed[at])] if len(closed) else []

    def split_moments(self, known_us: int, *, least: int, least_later: int) -> list[int]:
        """Up to `MAX_SPLITS` moments, evenly spread, at which history as known at K = `known_us` can be split.

        Both sides of each have enough follow-up. Before it lie at least `least` snapshots of either outcome to learn
        from; between it and K at least `least_later` leads of either outcome to evaluate on, counted by weight: a few
        that stand for many censored ones are no more than a few. Neither condition is monotone in time, so the last is
        the latest moment that meets both, and the others are spread over those that do, of at most `MAX_TRIED` that are
        tried, once there are leads enough.

        Without an order there is no such moment.
        """
        if self.settings.time == "none":
            return []
        if not self.settings.is_dated:
            shares = np.linspace(FIRST_SHARE, 1 - LAST_SHARE, MAX_SPLITS).tolist()
            moments = self.places(known_us, shares=shares)
        else:
            moments = self._screen_moments(known_us, least=least, least_later=least_later)
        return [
            moment
            for moment in moments
            if self.earlier_side(moment).can_train(least)
            and self.later_side(moment, to_us=known_us, known_us=known_us).can_evaluate(least_later)
        ]

    def _screen_moments(self, known_us: int, *, least: int, least_later: int) -> list[int]:
        """Dated moments to split at, by the spells as known at K: looking at each moment's own costs a query.

        Spells end as they were known to end at the moment; only a close corrected after it may be read otherwise.
        """
        horizon_us = self.settings.target.horizon_days * DAY_US
        inside = (self.grid >= self.version.first_us + horizon_us) & (
            self.grid <= known_us - horizon_us
        )
        moments = self.grid[inside].tolist()

        def is_admissible(moment_us: int) -> bool:
            later = self.later_side(moment_us, to_us=known_us, known_us=known_us)
            return later.can_evaluate(least_later) and self._screened_side(
                moment_us, known_us
            ).can_train(least)

        while moments and not (
            is_admissible(moments[-1]) and self.earlier_side(moments[-1]).can_train(least)
        ):
            moments.pop()
        admissible = [
            moment for moment in _spread_evenly(moments, MAX_TRIED) if is_admissible(moment)
        ]
        return _spread_evenly(self._late_enough(admissible, known_us), MAX_SPLITS)

    def _late_enough(self, moments: list[int], known_us: int) -> list[int]:
        """Of rising moments those with `FIRST_SHARE` of the labelled leads before them; the latest if they are few.

        What a model of few leads gets wrong would be put right, by calibration, in one that makes no such mistake.
        """
        of_all = sum(self._screened_side(known_us, known_us).count_leads())
        late = [
            moment
            for moment in moments
            if sum(self._screened_side(moment, known_us).count_leads()) >= FIRST_SHARE * of_all
        ]
        return late if len(late) >= MAX_SPLITS else moments[-MAX_SPLITS:]

    def _screened_side(self, moment_us: int, known_us: int) -> Side:
        """The earlier side of a moment, from the spells as known at K >= moment and cut off at the moment."""
        s = self.settings
        spells = self.spells(known_us)
        spells = spells[spells["start_us"] < moment_us]
        is_open = spells["close_us"] >= moment_us
        ends = {
            name: spells[name].mask(is_open, FOREVER_US) for name in ("earliest_us", "close_us")
        }
        spells = spells.assign(**ends, won=spells["won"] & ~is_open)
        rows = build_grid_list(
            spells, self.grid[self.grid < moment_us], target=s.target, seed=s.seed
        )
        return build_side("screened", rows, spells, known_us=moment_us, target=s.target)


def _spread_evenly(moments: list[int], most: int) -> list[int]:
    """At most so many of rising moments, evenly spread, the first and the last among them."""
    places = np.linspace(0, len(moments) - 1, min(most, len(moments)))
    return [moments[i] for i in np.unique(places.round().astype(int))]


def open_history(settings: Settings, version: StoreVersion, engine: Engine) -> History:
    """Attach a version's tables to the engine.

    Raises:
        TimeModeError: the version was stored in another time mode.
        KnownFromError: a field declared known from creation has changed since, so that its value in `leads` is not
            the one of creation.
    """
    if (
        stored := version.manifest.get("time", "dated")
    ) != settings.time:  # versions of before had one mode only
        raise TimeModeError(stored=stored, asked=settings.time)
    for table in TABLES.values():
        beside = version.files(f"absent_{table.name}")
        beside += version.files("observed") if table.name == "changes" else []
        engine.add_files(table.name, version.files(table.name) + beside, schema=table.schema())
    mapped = version.files("changes") + version.files("absent_changes")
    engine.add_files("told_changes", mapped, schema=CHANGES.schema())
    attach_closes(engine, version, settings.stages)
    history = History(settings, version, engine, read_presence(engine, version))
    mapped_histories = history.facts.mapped_histories(FOREVER_US)
    if contradicted := sorted(settings.fields_of_leads() & mapped_histories):
        raise KnownFromError(contradicted)
    return history
