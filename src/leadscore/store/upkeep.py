"""Upkeep of a store: list its versions, go back to one, and remove those nothing refers to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadscore.errors import CorruptFileError, CorruptPointerError, NoStoreError, UserError
from leadscore.files import list_folder
from leadscore.json_files import read_json
from leadscore.locks import locked, unread
from leadscore.proposals import propose
from leadscore.store.attempt import read_attempt
from leadscore.store.objects import FILES, NOTHING, check_objects, part_paths
from leadscore.store.version import (
    BESIDE,
    ID_DIGITS,
    StoreVersion,
    all_parts,
    delivery_path,
    list_ids,
    make_current,
    manifest_path,
    read_current,
    read_parts,
    read_pointer,
    read_version,
)
from leadscore.wording import listed

MANIFEST = "manifest"
LEAST_DIGITS = 4  # of an id, to name a version
PART = {"rejects": FILES, "tables": {str: {"rows": FILES, "side": FILES}}}
BESIDE_PART = ("rejects", "ignored_leads", "texts")  # beside its tables; early parts lack some


def list_versions(
    folder: Path,
    *,
    project: str,
    checked: bool = False,
) -> list[dict[str, Any]]:
    """Every version, the latest known_until first.

    Args:
        folder: the store.
        project: its name, for messages.
        checked: whether to check files, too, not manifests alone.

    Returns:
        Of each version: `version`, `known_until`, `known_until_us`, `rows` by table, whether it is
        `current`; under `quarantined` the alarms that its delivery failed; under `damaged` what is
        gone or was changed: its `manifest`, which then says nothing else, or, if `checked`, tables.

    Raises:
        NoStoreError: nothing was ingested yet.
    """
    ids = list_ids(folder)
    if not ids:
        raise NoStoreError(project, folder)
    current = _read_current_id(folder, project)
    versions = []
    for name in ids:
        description = _describe(folder, name, checked=checked)
        versions.append(description | {"current": name == current})

    def newest_first(item: dict[str, Any]) -> tuple[int, str]:
        return -item["known_until_us"], item["version"]

    return sorted(versions, key=newest_first)


def _read_current_id(folder: Path, project: str) -> str | None:
    """The current version, whole or not.

    None if current.json is damaged and it is not clear which one counts.
    """
    sha256 = read_pointer(folder)
    if sha256 is not None:
        return sha256[:ID_DIGITS]
    try:
        return read_current(folder, project=project).id
    except (CorruptFileError, CorruptPointerError):
        return None


def _describe(folder: Path, name: str, *, checked: bool) -> dict[str, Any]:
    try:
        version = read_version(folder, name)
    except CorruptFileError:
        return {
            "version": name,
            "known_until": "unknown",
            "known_until_us": -1,
            "rows": {},
            "quarantined": [],
            "damaged": [MANIFEST],
        }
    tables = sorted(version.manifest["tables"].items())
    return {
        "version": name,
        "known_until": version.manifest["known_until"],
        "known_until_us": version.known_until_us,
        "rows": {table: part["rows"] for table, part in tables},
        "quarantined": [*version.quarantined],
        "damaged": version.find_damage() if checked else [],
    }


def rollback(folder: Path, which: str, *, project: str) -> StoreVersion:
    """Make an earlier version the current one.

    `which` is the beginning of its id, four digits or more.

    Raises:
        UserError: none, or more than one, is called so, or its delivery failed an alarm.
        CorruptFileError: a file of it is gone or was changed.
    """
    name = _find_version(folder, which, project=project)
    with locked(folder):
        version = read_version(folder, name)
        if version.quarantined:
            raise UserError(_describe_quarantine(version))
        for table in (*version.manifest["tables"], *BESIDE):
            check_objects(version.paths(table))
        make_current(version)
    return version


def _find_version(folder: Path, which: str, *, project: str) -> str:
    """The id that begins so."""
    versions = list_versions(folder, project=project)
    names: list[str] = [item["version"] for item in versions]
    matches = [name for name in names if name.startswith(which)]
    if len(matches) != 1 or len(which) < LEAST_DIGITS:
        raise UserError(
            f"the store of project {project!r} has no version {which!r}; available: {listed(names)}"
        )
    return matches[0]


def _describe_quarantine(version: StoreVersion) -> str:
    """Why a version cannot count, and how to ingest its export all the same."""
    alarms = [*version.quarantined]
    accept = " ".join(f"--accept {name}" for name in alarms)
    known_until = version.manifest["known_until"]
    if known_until != "undated":
        accept = f"--known-until {known_until} {accept}"
    return (
        f"version {version.id} is quarantined: its export raised {listed(alarms)}. If it is "
        f"correct, ingest that export again: {propose(f'ingest {accept}')}"
    )


def prune(
    folder: Path,
    *,
    project: str,
    keep: int,
    referred: Callable[[], Collection[str]],
    really: bool,
) -> dict[str, Any]:
    """Remove versions and the files that only they use; first a dry run shows which.

    Versions that somebody is reading stay. If the manifest of one that stays is damaged, nobody
    knows which files it needs, so all files stay too.

    Args:
        folder: the store.
        project: its name, for messages.
        keep: how many versions stay in any case, those with the latest known_until, and as many
            quarantined ones.
        referred: says which versions stay, since something was published or trained from them;
            called when no new reader can open a version.
        really: whether to remove them, or only to say what would be removed.

    Returns:
        `removed` and `kept` version ids, and `files` and `bytes` that go.

    Raises:
        CorruptPointerError: it is not clear which version is the current one.
    """
    with locked(folder), ExitStack() as leases:
        versions = list_versions(folder, project=project)
        if not any(item["current"] for item in versions):
            raise CorruptPointerError(folder / "current.json")

        old = _list_old(versions, keep=keep)
        unneeded = _hold_unread(folder, old, leases) - set(referred())
        plan = _plan(folder, versions, unneeded, project=project)
        summary = {**plan.summary(), "really": really}
        if really:
            _remove(folder, plan.removed, plan.unused)
    return summary


def _hold_unread(folder: Path, names: Sequence[str], leases: ExitStack) -> set[str]:
    """The versions that nobody is reading; no reader can open them while `leases` are held."""
    free = set()
    for name in names:
        is_free = leases.enter_context(unread(manifest_path(folder, name)))
        if is_free:
            free.add(name)
    return free


@dataclass(frozen=True)
class _Plan:
    """The ids of the versions to be removed and of those that stay, and the files that go."""

    removed: list[str]
    staying: list[str]
    unused: list[Path]

    def summary(self) -> dict[str, Any]:
        """The ids, and how many files and bytes go, as JSON."""
        size = sum(path.stat().st_size for path in self.unused)
        return {
            "removed": self.removed,
            "kept": self.staying,
            "files": len(self.unused),
            "bytes": size,
        }


def _plan(
    folder: Path,
    versions: Sequence[dict[str, Any]],
    unneeded: Collection[str],
    *,
    project: str,
) -> _Plan:
    """What goes with the unneeded versions: no file if one that stays is damaged."""
    removed = []
    staying = []
    is_damaged = False
    for item in versions:
        if item["version"] in unneeded:
            removed.append(item["version"])
        else:
            staying.append(item["version"])
            is_damaged |= bool(item["damaged"])
    unused = [] if is_damaged else _find_unused(folder, staying, project=project)
    return _Plan(removed, staying, unused)


def _list_old(versions: Sequence[dict[str, Any]], *, keep: int) -> list[str]:
    """All versions but the current one, and the first `keep` admitted and quarantined ones."""
    admitted = [item for item in versions if not item["quarantined"]]
    quarantined = [item for item in versions if item["quarantined"]]
    old = [*admitted[keep:], *quarantined[keep:]]
    return [item["version"] for item in old if not item["current"]]


def _remove(folder: Path, versions: Sequence[str], files: Sequence[Path]) -> None:
    """Remove versions, then files: if it is interrupted, no version is left without its files."""
    for name in versions:
        manifest_path(folder, name).unlink()
        delivery_path(folder, name).unlink(missing_ok=True)
    for path in files:
        path.unlink()


def _find_unused(folder: Path, staying: Collection[str], *, project: str) -> list[Path]:
    """The stored files that neither a version that stays nor the last ingest needs."""
    used: set[Path] = set()
    for name in staying:
        used.update(_list_needed(folder, name))
    if staying:
        rejects = read_attempt(folder, project=project)["rejects"]
        used.update(part_paths(folder, rejects))

    objects = (folder / "objects").rglob("*.parquet")
    parts = list_folder(folder / "parts", "*.json")
    stored = [*objects, *parts]
    return sorted(path for path in stored if path not in used)


def _list_needed(folder: Path, name: str) -> Iterator[Path]:
    """All that a version needs: its tables' files, and the parts read for it, with theirs."""
    version = read_version(folder, name)
    for part in all_parts(version.manifest):
        yield from part_paths(folder, part)
    for key in read_parts(version):
        path = folder / "parts" / f"{key}.json"
        yield path
        yield from _list_of_part(folder, path)


def _list_of_part(folder: Path, path: Path) -> Iterator[Path]:
    """The files of what was read of a source.

    None if it is damaged, since the source is then read again.
    """
    try:
        part = read_json(path, PART)
    except CorruptFileError:
        return
    for name in BESIDE_PART:
        yield from part_paths(folder, part.get(name, NOTHING))
    for table in part["tables"].values():
        yield from part_paths(folder, table["rows"])
        yield from part_paths(folder, table["side"])
