"""Upkeep of a store: which versions there are, going back to one, and removing those that nothing refers to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from leadscore.atomic import write_pointer
from leadscore.errors import CorruptFileError, CorruptPointerError, NoStoreError, UserError
from leadscore.files import hash_bytes, list_folder
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import locked, unread
from leadscore.proposals import propose
from leadscore.store.version import (
    BESIDE,
    FILES,
    StoreVersion,
    all_parts,
    check_objects,
    list_ids,
    manifest_path,
    object_path,
    read_attempt,
    read_current,
    read_parts,
    read_pointer,
    read_version,
)
from leadscore.wording import listed

MANIFEST = "manifest"
PART = {"rejects": FILES, "tables": {str: {"rows": FILES, "side": FILES}}}
MORE = (
    "rejects",
    "ignored_leads",
    "texts",
)  # what a part holds beside its tables; early ones not all


def list_versions(folder: Path, *, project: str, checked: bool = False) -> list[dict[str, Any]]:
    """Every version: id, known_until, rows by table, and whether it is the current one; the latest known_until first.

    `quarantined` names the alarms that its delivery failed.
    `damaged` names what of it is gone or was changed: its `manifest`, which then says nothing else, or, if files
    are to be `checked`, tables.

    Raises:
        NoStoreError: nothing was ingested yet.
    """
    ids = list_ids(folder)
    if not ids:
        raise NoStoreError(project, folder)
    current = _read_current_id(folder, project)
    found = [
        _describe(folder, each, checked=checked) | {"current": each == current} for each in ids
    ]
    return sorted(found, key=lambda each: (-each["known_until_us"], each["version"]))


def _read_current_id(folder: Path, project: str) -> str | None:
    """The current version, whole or not; None if current.json is damaged and it is not clear which one counts."""
    if (named := read_pointer(folder)) is not None:
        return named[:16]
    try:
        return read_current(folder, project=project).id
    except (CorruptFileError, CorruptPointerError):
        return None


def _describe(folder: Path, version: str, *, checked: bool) -> dict[str, Any]:
    try:
        read = read_version(folder, version)
    except CorruptFileError:
        nothing = {"known_until": "unknown", "known_until_us": -1, "rows": {}, "quarantined": []}
        return {"version": version, **nothing, "damaged": [MANIFEST]}
    return {
        "version": version,
        "known_until": read.manifest["known_until"],
        "known_until_us": read.known_until_us,
        "rows": {name: part["rows"] for name, part in sorted(read.manifest["tables"].items())},
        "quarantined": [*read.quarantined],
        "damaged": read.find_damage() if checked else [],
    }


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


def rollback(folder: Path, which: str, *, project: str) -> StoreVersion:
    """Make an earlier version the current one; `which` is the beginning of its id, four digits or more.

    Raises:
        UserError: none, or more than one, is called so, or its delivery failed an alarm.
        CorruptFileError: a file of it is gone or was changed.
    """
    known = [each["version"] for each in list_versions(folder, project=project)]
    found = [version for version in known if len(which) >= 4 and version.startswith(which)]
    if len(found) != 1:
        raise UserError(
            f"the store of project {project!r} has no version {which!r}; there are {listed(known)}"
        )
    with locked(folder):
        version = read_version(folder, found[0])
        if version.quarantined:
            raise UserError(_describe_quarantine(version))
        names = (*version.manifest["tables"], *BESIDE)
        check_objects([path for name in names for path in version.paths(name)])
        sha256 = hash_bytes(canonical_json(version.manifest))
        write_pointer(
            folder / "current.json", canonical_json({"version": version.id, "sha256": sha256})
        )
    return version


def prune(
    folder: Path, *, project: str, keep: int, referred: Callable[[], Collection[str]], really: bool
) -> dict[str, Any]:
    """Remove versions and the files that only they use; first a dry run shows which.

    Versions that somebody reads stay. If the manifest of one that stays is damaged nobody knows its files, so files
    stay too.

    Args:
        folder: the store.
        project: its name, for messages.
        keep: how many versions stay in any case, those with the latest known_until; as many quarantined ones do.
        referred: says which versions stay because something was published or trained from them; asked when no reader
            can come in between.
        really: remove; else only tell.

    Returns:
        `removed` and `kept` version ids, and `files` and `bytes` that go.

    Raises:
        CorruptPointerError: it is not clear which version is the current one.
    """
    with locked(folder), ExitStack() as leases:
        versions = list_versions(folder, project=project)
        if not any(each["current"] for each in versions):
            raise CorruptPointerError(folder / "current.json")
        older = [each for are in (False, True) for each in _those(versions, quarantined=are)[keep:]]
        unneeded = [each["version"] for each in older if not each["current"]]
        free = {
            each for each in unneeded if leases.enter_context(unread(manifest_path(folder, each)))
        }
        gone = free - set(referred())
        removed = [each["version"] for each in versions if each["version"] in gone]
        kept = [each["version"] for each in versions if each["version"] not in gone]
        is_known = not any(each["damaged"] for each in versions if each["version"] in kept)
        unused = _find_unused(folder, kept, project=project) if is_known else []
        size = sum(path.stat().st_size for path in unused)
        if (
            really
        ):  # manifests first: should it be interrupted, no version is left without its files
            for version in removed:
                manifest_path(folder, version).unlink()
                (folder / "deliveries" / f"{version}.json").unlink(missing_ok=True)
            for path in unused:
                path.unlink()
    return {"removed": removed, "kept": kept, "files": len(unused), "bytes": size, "really": really}


def _those(versions: list[dict[str, Any]], *, quarantined: bool) -> list[dict[str, Any]]:
    return [each for each in versions if bool(each["quarantined"]) == quarantined]


def _find_unused(folder: Path, kept: Collection[str], *, project: str) -> list[Path]:
    """The stored files that neither a version that stays nor the last ingest needs."""
    used = {path for version in kept for path in _files(folder, version)}
    rejects = read_attempt(folder, project=project)["rejects"]["files"] if kept else []
    used |= {object_path(folder, file["sha256"]) for file in rejects}
    stored = [*(folder / "objects").rglob("*.parquet"), *list_folder(folder / "parts", "*.json")]
    return sorted(path for path in stored if path not in used)


def _files(folder: Path, version: str) -> Iterator[Path]:
    """All that a version needs: its tables' files, and the parts that were read for it with theirs."""
    read = read_version(folder, version)
    needed = all_parts(read.manifest)
    for path in (folder / "parts" / f"{key}.json" for key in read_parts(read)):
        yield path
        try:
            part = read_json(path, PART)
        except CorruptFileError:  # its source is read again when it is needed
            continue
        needed += [part[name] for name in MORE if name in part]
        needed += [each[kind] for each in part["tables"].values() for kind in ("rows", "side")]
    yield from (object_path(folder, file["sha256"]) for each in needed for file in each["files"])
