"""Removing old lists by number and age; their receipts stay, since they are settled later."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadscore.locks import locked
from leadscore.publish.listed import Listed, find_standing, list_written, read_listed
from leadscore.publish.publication import MANIFEST
from leadscore.times import DAY_US

HorizonOf = Callable[[Listed], int | None]


@dataclass(frozen=True)
class ListLimits:
    """Old lists: all but the latest `keep`, if they are more than `days` before known_until."""

    keep: int
    days: float = 0.0


@dataclass(frozen=True)
class PrunedLists:
    """The ids of the lists that were removed, or would be, with their bytes, and of the others."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]
    size: int


def prune_lists(
    folder: Path,
    store_folder: Path,
    *,
    limits: ListLimits,
    known_until_us: int,
    horizon_days: HorizonOf,
    really: bool,
) -> PrunedLists:
    """Remove old lists, and say which.

    The current list stays, unsettled ones do, and what lists that stay were compared with.

    Args:
        folder: of all lists.
        store_folder: where their receipts are.
        limits: which lists are old.
        known_until_us: up to when outcomes are known.
        horizon_days: the horizon of a list, None if it is not known; then the list stays.
        really: remove them, instead of only saying which.
    """
    with locked(folder):
        ids = list_written(folder)
        lists = [read_listed(folder, name) for name in ids]
        staying = _find_staying(
            lists, limits, known_until_us=known_until_us, horizon_days=horizon_days
        )
        standing = find_standing(folder, store_folder)
        if standing is not None:
            staying.add(standing.id)
        listed_staying = [listed for listed in lists if listed.id in staying]
        staying |= {str(listed.previous_id) for listed in listed_staying}

        removed = [name for name in ids if name not in staying]
        size = sum(_measure(folder / name) for name in removed)
        if really:
            for name in removed:
                _remove(folder / name)
    others = [name for name in ids if name in staying]
    return PrunedLists(tuple(removed), tuple(others), size)


def _find_staying(
    lists: Sequence[Listed],
    limits: ListLimits,
    *,
    known_until_us: int,
    horizon_days: HorizonOf,
) -> set[str]:
    """The ids of the latest lists, of young and unsettled ones, and of all without a date."""
    dates = {listed.id: listed.as_of_us for listed in lists if listed.as_of_us is not None}
    latest = sorted(dates, key=lambda name: (dates[name], name), reverse=True)
    staying = set(latest[: limits.keep])
    for listed in lists:
        if listed.id not in dates:
            staying.add(listed.id)
            continue
        as_of_us = dates[listed.id]
        horizon = horizon_days(listed)
        is_unsettled = horizon is None or as_of_us + horizon * DAY_US > known_until_us
        is_young = as_of_us >= known_until_us - limits.days * DAY_US
        if is_unsettled or is_young:
            staying.add(listed.id)
    return staying


def _measure(home: Path) -> int:
    """The bytes that a folder takes."""
    paths = home.rglob("*")
    return sum(path.stat().st_size for path in paths)


def _remove(home: Path) -> None:
    """Remove a list, its manifest first, so that a reader finds all of it or none."""
    (home / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(home)
