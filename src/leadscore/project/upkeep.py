"""The versions of the store: listing them, going back to one, and making room."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from leadscore.errors import CorruptFileError, DamagedFileError
from leadscore.files import list_manifests
from leadscore.json_files import read_json
from leadscore.publish.listed import Listed
from leadscore.publish.pruning import ListLimits, PrunedLists, prune_lists
from leadscore.results import Pruned, StoreRollback, StoreVersions
from leadscore.settings.settings import Settings
from leadscore.store import upkeep
from leadscore.store.version import read_current


def list_store(settings: Settings) -> StoreVersions:
    """The versions of the store, every file checked, and whether something was made from them."""
    store = settings.project_folder() / "store"
    versions = upkeep.list_versions(store, project=settings.project, checked=True)
    referred = set(_read_referred(settings).values())
    rows = [version | {"referred": version["version"] in referred} for version in versions]
    return StoreVersions.from_dict({"versions": rows})


def rollback_store(settings: Settings, version: str) -> StoreRollback:
    """Make an earlier store version the current one."""
    store = settings.project_folder() / "store"
    current = upkeep.rollback(store, version, project=settings.project)
    return StoreRollback(version=current.id, known_until=current.manifest["known_until"])


def prune_store(
    settings: Settings,
    *,
    keep: int,
    really: bool,
    lists: ListLimits | None = None,
) -> Pruned:
    """Remove store versions from which nothing was published or trained, except the latest ones.

    Args:
        settings: of the project.
        keep: how many of the latest versions stay in any case.
        really: remove; otherwise only say what would go.
        lists: also remove old lists, as far as they are settled; a dry run counts them as still there.
    """
    store = settings.project_folder() / "store"
    _read_referred(settings)  # what cannot be read must stop it before anything goes
    pruned_lists = PrunedLists((), (), 0)
    if lists is not None:
        pruned_lists = prune_lists(
            settings.project_folder() / "scores",
            store,
            limits=lists,
            really=really,
            known_until_us=read_current(store, project=settings.project).known_until_us,
            horizon_days=lambda listed: horizon_of(settings, listed),
        )
    pruned = upkeep.prune(
        store,
        project=settings.project,
        keep=keep,
        referred=lambda: _find_referred(settings),
        really=really,
    )
    asked = {"keep": keep, "lists": asdict(lists) if lists else None}
    of_lists = asdict(pruned_lists)
    return Pruned.from_dict(pruned | {"lists": of_lists, "asked": asked})


def horizon_of(settings: Settings, listed: Listed) -> int | None:
    """The horizon of a list in days: the longer of its own and that of the settings now; None if it names none.

    Where the settings leave the horizon to the data, the list's own is that of the model that made it. Of a damaged
    list only the name is left, so there is nothing in it to settle.
    """
    if listed.manifest is None:
        return 0
    settings_then = json.loads(listed.manifest.get("settings", "{}"))
    target_then = settings_then.get("target", {})
    horizon_then: int = target_then.get("horizon_days", 0)
    return max(settings.target.horizon_days, horizon_then) if horizon_then else None


def _read_referred(settings: Settings) -> dict[Path, str | None]:
    """The store version that each publication and training names; None if its manifest is damaged."""
    folders = (settings.project_folder() / "scores", settings.models_folder / settings.project)
    referred: dict[Path, str | None] = {}
    for folder in folders:
        for path in list_manifests(folder):
            referred[path] = _read_store_version(path)
    return referred


def _read_store_version(manifest: Path) -> str | None:
    try:
        version: str = read_json(manifest, {"store_version": str})["store_version"]
    except CorruptFileError:
        return None
    return version


def _find_referred(settings: Settings) -> set[str]:
    """The store versions that publications and trainings name.

    Raises:
        DamagedFileError: one does not say which, so that no version could be removed safely.
    """
    referred = _read_referred(settings)
    for path, version in referred.items():
        if version is None:
            raise DamagedFileError(
                path,
                "it does not say which version it needs",
                cure="restore it, or remove its folder, which cannot be used any more; then prune again",
            )
    return {version for version in referred.values() if version is not None}
