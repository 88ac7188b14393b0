"""History at a store version, and its splits: moments K with an earlier side to learn from and a later to judge."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from leadscore.config import Settings
from leadscore.engine import Engine
from leadscore.errors import KnownFromError
from leadscore.history.labels import Side, build_side
from leadscore.history.snapshot import Snapshot, build_grid, build_grid_list, build_open_list
from leadscore.history.spells import build_spells
from leadscore.store.version import StoreVersion
from leadscore.tables import CHANGES, TABLES
from leadscore.times import DAY_US, format_us

MAX_SPLITS = 6
KEPT_SPELLS = 8  # of the moments asked about lately; each holds a row a lead


@dataclass(frozen=True)
class History:
    """A store version opened for looking back; every answer rests on facts known before the moment asked about."""

    settings: Settings
    version: StoreVersion
    engine: Engine = field(repr=False)
    _spells: dict[int, pd.DataFrame] = field(default_factory=dict, repr=False)

    @cached_property
    def grid(self) -> np.ndarray:
        """All past moments of scoring, int64 (n,)."""
        s = self.settings
        until = self.version.known_until_us
        return build_grid(self.version.first_us, until, target=s.target, seed=s.seed, zone=s.timezone)

    def spells(self, known_us: int) -> pd.DataFrame:
        """The spells as known at a moment (see `build_spells`)."""
        if known_us not in self._spells:
            if len(self._spells) >= KEPT_SPELLS:
                self._spells.pop(next(iter(self._spells)))
            self._spells[known_us] = build_spells(self.engine, self.settings.stages, known_us=known_us)
        return self._spells[known_us]

    def open_list(self, as_of_us: int) -> pd.DataFrame:
        """The leads open at `as_of_us`, by what was known then."""
        return build_open_list(self.spells(as_of_us), as_of_us=as_of_us)

    def changed_fields(self, known_us: int) -> set[str]:
        """The fields of which a change was known before a moment."""
        rows = self.engine.query(f"SELECT DISTINCT field FROM changes WHERE available_us < {known_us}")
        return set(rows["field"].to_pylist())

    def snapshot(self, rows: pd.DataFrame) -> Snapshot:
        """The door to the past for a list of snapshots."""
        s = self.settings
        created = tuple(name for name, field in s.lead_fields().items() if field.known_from == "creation")
        return Snapshot(self.engine, rows, s.stages, created, s.engine.chunk_snapshots)

    def side(self, name: str, *, from_us: int, to_us: int, known_us: int) -> Side:
        """The snapshots with from_us <= as_of < to_us, labelled by what was known at `known_us` >= to_us."""
        s = self.settings
        spells = self.spells(known_us)
        within = self.grid[(self.grid >= from_us) & (self.grid < to_us)]
        rows = build_grid_list(spells, within, target=s.target, seed=s.seed)
        return build_side(name, rows, spells, known_us=known_us, target=s.target)

    def earlier_side(self, moment_us: int) -> Side:
        """All that could be learned at a moment: snapshots before it, labels as known at it."""
        name = f"history before {format_us(moment_us)}"
        return self.side(name, from_us=self.version.first_us, to_us=moment_us, known_us=moment_us)

    def later_side(self, moment_us: int, *, to_us: int, known_us: int) -> Side:
        """The snapshots from a moment on until `to_us`, labels as known at `known_us`."""
        return self.side(f"snapshots from {format_us(moment_us)}", from_us=moment_us, to_us=to_us, known_us=known_us)

    def split_moments(self, known_us: int, *, least: int) -> list[int]:
        """Up to `MAX_SPLITS` moments, evenly spread, at which history as known at K = `known_us` can be split.

        Both sides of each are watched enough: before it to learn from, which takes `least` snapshots of either
        outcome, and after it, until K, to judge by. The last is the latest such moment.
        """
        horizon_us = self.settings.target.horizon_days * DAY_US
        inside = (self.grid >= self.version.first_us + horizon_us) & (self.grid <= known_us - horizon_us)
        moments = [int(us) for us in self.grid[inside]]

        def can_learn(moment_us: int) -> bool:
            side = self.earlier_side(moment_us)
            return side.is_watched_enough() and side.has_outcomes(least)

        def can_judge(moment_us: int) -> bool:
            return self.later_side(moment_us, to_us=known_us, known_us=known_us).is_watched_enough()

        while moments and not (can_judge(moments[-1]) and can_learn(moments[-1])):
            moments.pop()
        moments = moments[bisect_left(moments, True, key=can_learn) :]  # history only grows
        chosen = np.unique(np.linspace(0, len(moments) - 1, min(MAX_SPLITS, len(moments))).round().astype(int))
        return [moments[i] for i in chosen if can_learn(moments[i]) and can_judge(moments[i])]


def open_history(settings: Settings, version: StoreVersion, engine: Engine) -> History:
    """Attach a version's tables to the engine.

    Raises:
        KnownFromError: a field declared known from creation has changed since, so that its value in `leads` is not
            the one of creation.
    """
    for table in TABLES.values():
        seen = version.files("observed") if table.name == "changes" else []
        engine.add_files(table.name, version.files(table.name) + seen, schema=table.schema())
    engine.add_files("told_changes", version.files("changes"), schema=CHANGES.schema())
    history = History(settings, version, engine)
    created = {name for name, field in settings.lead_fields().items() if field.known_from == "creation"}
    told = engine.query("SELECT DISTINCT field FROM told_changes")["field"].to_pylist()
    if contradicted := sorted(created & set(told)):
        raise KnownFromError(contradicted)
    return history
