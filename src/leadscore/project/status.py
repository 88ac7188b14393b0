"""Where a project stands, read from its store, its lists and its registry; nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadscore.errors import NoStoreError, UnavailableError
from leadscore.project.next_runs import ask_next_runs
from leadscore.project.publishing import find_withheld
from leadscore.project.reviewing import read_last_look
from leadscore.project.trail import find_damaged_entries
from leadscore.publish.listed import Listed, find_standing, find_waiting
from leadscore.registry.registry import Registry
from leadscore.registry.versions import CHALLENGER, CHAMPION
from leadscore.results import (
    NextRun,
    PublishedList,
    QuarantinedDelivery,
    ScoringModel,
    Status,
    StoreStatus,
    WithheldList,
)
from leadscore.settings.settings import Settings
from leadscore.store.attempt import read_attempt
from leadscore.store.upkeep import list_versions
from leadscore.store.version import StoreVersion, read_current
from leadscore.times import DAY_US, HOUR_US, format_us


def describe_status(
    settings: Settings,
    *,
    clock_us: int | None = None,
    prefect: str | None = None,
) -> Status:
    """The store, the published list and the models of a project.

    Args:
        settings: of the project.
        clock_us: now, in UTC microseconds; without it nothing has an age, and no list expires.
        prefect: the address of the API of a Prefect server, to ask when flows run next.

    Raises:
        CorruptFileError: the current store version is damaged.
        UnavailableError: MLflow cannot be reached.
    """
    current = _read_current(settings)
    attempt = _read_attempt(settings)
    registry = Registry(settings)
    models = _describe_models(registry)
    home = settings.project_folder()
    standing = find_standing(home / "scores", home / "store")
    waiting = find_waiting(home / "scores", home / "store")
    return Status(
        project=settings.project,
        folder=str(home),
        store=_describe_store(current, clock_us) if current else None,
        quarantined=_find_quarantined(current) if current else None,
        ingest_stopped=attempt["stopped"],
        rejects=attempt["rejects"]["rules"],
        published=_describe_list(standing, settings, clock_us) if standing else None,
        withheld=_describe_withheld(waiting, settings) if waiting else None,
        champion=models.get(CHAMPION),
        challenger=models.get(CHALLENGER),
        last_look=read_last_look(settings),
        next_runs=_find_next_runs(prefect),
        training_due=_find_training_due(registry, settings),
        damaged_entries=find_damaged_entries(settings),
    )


def _find_next_runs(prefect: str | None) -> list[NextRun] | None:
    """What is scheduled; None where there is nobody to ask."""
    if prefect is None:
        return None
    try:
        return ask_next_runs(prefect)
    except UnavailableError:
        return None


def _find_training_due(registry: Registry, settings: Settings) -> str | None:
    """The known_until from which on `every_days` have passed since the last training."""
    trained_us = registry.last_trained_us()
    days = settings.retraining.every_days
    if trained_us is None or days is None or not settings.is_dated:
        return None
    return format_us(trained_us + round(days * DAY_US))


def _read_current(settings: Settings) -> StoreVersion | None:
    store = settings.project_folder() / "store"
    try:
        return read_current(store, project=settings.project)
    except NoStoreError:
        return None


def _read_attempt(settings: Settings) -> dict[str, Any]:
    store = settings.project_folder() / "store"
    try:
        return read_attempt(store, project=settings.project)
    except NoStoreError:
        return {"rejects": {"rules": {}}, "stopped": None}


def _describe_store(current: StoreVersion, clock_us: int | None) -> StoreStatus:
    known_until = current.manifest["known_until"]
    is_dated = known_until != "undated"
    return StoreStatus(
        version=current.id,
        known_until=known_until,
        age_hours=_age(current.known_until_us, clock_us) if is_dated else None,
    )


def _find_quarantined(current: StoreVersion) -> QuarantinedDelivery | None:
    """The latest delivery after the current version, if it failed alarms."""
    project = current.manifest["project"]
    latest = list_versions(current.folder, project=project)[0]
    is_later = latest["known_until_us"] > current.known_until_us
    if not (is_later and latest["quarantined"]):
        return None
    return QuarantinedDelivery(
        version=latest["version"],
        known_until=latest["known_until"],
        alarms=latest["quarantined"],
    )


def _describe_list(standing: Listed, settings: Settings, clock_us: int | None) -> PublishedList:
    manifest = standing.manifest or {}
    as_of_us = standing.as_of_us
    until_us = _valid_until_us(as_of_us, settings)
    is_past = until_us is not None and clock_us is not None and clock_us >= until_us
    age_hours = _age(as_of_us, clock_us)
    return PublishedList(
        publication_id=standing.id,
        as_of=manifest.get("as_of"),
        leads=manifest["counts"]["scored"],
        age_hours=age_hours,
        valid_until=None if until_us is None else format_us(until_us),
        expired=is_past,
        stale=age_hours is not None and age_hours > settings.max_staleness_hours,
    )


def _valid_until_us(as_of_us: int | None, settings: Settings) -> int | None:
    """Until when every target may trust a list; None without dates or targets."""
    if as_of_us is None or not settings.targets:
        return None
    days = min(target.valid_days for target in settings.targets.values())
    return as_of_us + round(days * DAY_US)


def _describe_withheld(waiting: Listed, settings: Settings) -> WithheldList:
    manifest = waiting.manifest or {}
    return WithheldList(
        publication_id=waiting.id,
        as_of=manifest.get("as_of"),
        reasons=find_withheld(settings, waiting.id),
    )


def _describe_models(registry: Registry) -> dict[str, ScoringModel]:
    """The version that each alias points to, with the latest move that brought it there."""
    moves = registry.moves()
    models = {}
    for version in registry.versions():
        for alias in version.aliases:
            move = _find_move(moves, alias, version.number)
            models[alias] = ScoringModel(
                number=version.number,
                version=version.version,
                known_until=version.known_until,
                since=move.get("at"),
                by=move.get("by"),
                why=move.get("why"),
            )
    return models


def _find_move(moves: Sequence[dict[str, Any]], alias: str, number: int) -> dict[str, Any]:
    """The latest logged move of an alias to a version; empty if there is none."""
    for move in moves:
        if (move["alias"], move["now"]) == (alias, number):
            return move
    return {}


def _age(moment_us: int | None, clock_us: int | None) -> float | None:
    """The hours from a moment until now, to a tenth."""
    if moment_us is None or clock_us is None:
        return None
    return round((clock_us - moment_us) / HOUR_US, 1)
