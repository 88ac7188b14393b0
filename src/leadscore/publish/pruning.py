"""Removing old lists by number and age; their receipts stay, since they are what is settled later."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadscore.locks import locked
from leadscore.publish.published import Listed, find_standing, list_written, read_listed
from leadscore.times import DAY_US

HorizonOf = Callable[[Listed], int | None]


@dataclass(frozen=True)
class ListLimits:
    """Which lists are old: all but the latest `keep` and, of these, those of more than `days` before known_until."""

    keep: int
    days: float = 0.0


@dataclass(frozen=True)
class PrunedLists:
    """Ids of the lists that went, or would go, and of those that stay; `size` in bytes."""

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
    """Remove old lists, except the current one, those not settled yet, and what lists that stay were compared with.

    Args:
        folder: of all lists.
        store_folder: where their receipts are.
        limits: which lists are old.
        known_until_us: up to when outcomes are known.
        horizon_days: of a list; None if it is not known, then the list stays.
        really: remove; else only tell.
    """
    with locked(folder):
        names = list_written(folder)
        lists = [read_listed(folder, name) for name in names]
        stays = _find_staying(
            lists, limits, known_until_us=known_until_us, horizon_days=horizon_days
        )
        standing = find_standing(folder, store_folder)
        if standing is not None:
            stays.add(standing.id)
        stays |= {
            str(each.manifest.get("previous"))
            for each in lists
            if each.manifest and each.id in stays
        }
        removed = [each.id for each in lists if each.id not in stays]
        size = sum(path.stat().st_size for name in removed for path in (folder / name).rglob("*"))
        if really:
            for name in removed:
                (folder / name / "manifest.json").unlink(
                    missing_ok=True
                )  # first: a reader finds all of it or none
                shutil.rmtree(folder / name)
    return PrunedLists(tuple(removed), tuple(name for name in names if name in stays), size)


def _find_staying(
    lists: Sequence[Listed], limits: ListLimits, *, known_until_us: int, horizon_days: HorizonOf
) -> set[str]:
    """The latest lists, the young ones, those whose horizon is not over, and all without a date."""
    dated = {each.id: each.as_of_us for each in lists if each.as_of_us is not None}
    stays = {each.id for each in lists if each.id not in dated}
    latest = sorted(dated, key=lambda name: (dated[name], name), reverse=True)
    stays |= set(latest[: limits.keep])
    for each in lists:
        as_of_us = dated.get(each.id)
        if as_of_us is None:
            continue
        horizon = horizon_days(each)
        is_unsettled = horizon is None or as_of_us + horizon * DAY_US > known_until_us
        if is_unsettled or as_of_us >= known_until_us - limits.days * DAY_US:
            stays.add(each.id)
    return stays
