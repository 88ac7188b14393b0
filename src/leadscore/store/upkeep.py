"""Upkeep of a store: which versions there are, going back to one, and removing those that nothing refers to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from leadscore.errors import UnknownStoreVersionError
from leadscore.files import canonical_json, hash_bytes, read_json, write_pointer
from leadscore.store.version import (
    StoreVersion,
    all_parts,
    locked,
    object_path,
    read_attempt,
    read_current,
    read_parts,
    read_version,
)


def list_versions(folder: Path, *, project: str) -> list[dict[str, Any]]:
    """Every version: id, known_until, rows by table, and whether it is the current one; the latest known_until first.

    Raises:
        NoStoreError: nothing was ingested yet.
    """
    current = read_current(folder, project=project).id
    found = []
    for path in sorted((folder / "versions").glob("*.json")):
        manifest = read_json(path)
        rows = {name: part["rows"] for name, part in sorted(manifest["tables"].items())}
        known = {key: manifest[key] for key in ("known_until", "known_until_us")}
        found.append({"version": path.stem, **known, "rows": rows, "current": path.stem == current})
    return sorted(found, key=lambda each: (-each["known_until_us"], each["version"]))


def rollback(folder: Path, which: str, *, project: str) -> StoreVersion:
    """Make an earlier version the current one; `which` is the beginning of its id, four digits or more.

    Raises:
        UnknownStoreVersionError: none, or more than one, is called so.
        CorruptFileError: a file of it was changed.
    """
    known = [each["version"] for each in list_versions(folder, project=project)]
    found = [version for version in known if len(which) >= 4 and version.startswith(which)]
    if len(found) != 1:
        raise UnknownStoreVersionError(project, which, known)
    with locked(folder):
        version = read_version(folder, found[0])
        sha256 = hash_bytes(canonical_json(version.manifest))
        write_pointer(folder / "current.json", canonical_json({"version": version.id, "sha256": sha256}))
    return version


def prune(folder: Path, *, project: str, keep: int, referred: Collection[str], really: bool) -> dict[str, Any]:
    """Remove versions and the files that only they use; first a dry run shows which.

    Args:
        folder: the store.
        project: its name, for messages.
        keep: how many versions stay in any case, those with the latest known_until.
        referred: versions that stay because something was published or trained from them.
        really: remove; else only tell.

    Returns:
        `removed` and `kept` version ids, and `files` and `bytes` that go.
    """
    with locked(folder):
        versions = list_versions(folder, project=project)
        stays = {each["version"] for each in versions[:keep]} | set(referred)
        stays |= {each["version"] for each in versions if each["current"]}
        kept = [each["version"] for each in versions if each["version"] in stays]
        removed = [each["version"] for each in versions if each["version"] not in stays]
        used = {path for version in kept for path in _files(folder, version)}
        used |= {
            object_path(folder, file["sha256"]) for file in read_attempt(folder, project=project)["rejects"]["files"]
        }
        there = [*(folder / "objects").rglob("*.parquet"), *(folder / "parts").glob("*.json")]
        unused = sorted(path for path in there if path not in used)
        size = sum(path.stat().st_size for path in unused)
        if really:  # manifests first: should it be interrupted, no version is left without its files
            for version in removed:
                (folder / "versions" / f"{version}.json").unlink()
                (folder / "deliveries" / f"{version}.json").unlink(missing_ok=True)
            for path in unused:
                path.unlink()
    return {"removed": removed, "kept": kept, "files": len(unused), "bytes": size, "really": really}


def _files(folder: Path, version: str) -> Iterator[Path]:
    """All that a version needs: its tables' files, and the parts that were read for it with theirs."""
    found = StoreVersion(version, read_json(folder / "versions" / f"{version}.json"), folder)
    told = all_parts(found.manifest)
    for path in (folder / "parts" / f"{key}.json" for key in read_parts(found)):
        yield path
        if path.exists():
            part = read_json(path)
            told += [part["rejects"], *(each[kind] for each in part["tables"].values() for kind in ("rows", "side"))]
    yield from (object_path(folder, file["sha256"]) for each in told for file in each["files"])
