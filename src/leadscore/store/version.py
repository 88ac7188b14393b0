"""Versions of the stored tables: a manifest names shared files by their content.

One rename makes it current.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.atomic import write_pointer
from leadscore.errors import CorruptFileError, CorruptPointerError, NoStoreError
from leadscore.files import hash_bytes, is_there, list_folder, read_verified
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import lease
from leadscore.proposals import propose
from leadscore.store.objects import NOTHING, check_objects, describe_recovery, is_whole, part_paths

ABSENT = (
    "absent_leads",
    "absent_changes",
    "absent_activities",
    "absent_stages",
    "absent_outcomes",
)
BESIDE = (  # what a version holds beside its tables
    "rejects",
    "observed",
    "closes",
    "opens",
    "text_changes",
    "first_seen",
    "presence",
    *ABSENT,
)
POINTER = {"version": str, "sha256": str}
ID_DIGITS = 16  # of the hash of the manifest
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoreVersion:
    """One immutable state of the stored tables.

    Attributes:
        id: the first digits of the manifest's hash, so equal content has an equal id.
        manifest: `known_until_us`, `first_us`, `accounts` and `warnings`; and, each with its rows
            and files, `tables`, `observed` (changes seen between versions), `closes` (every close
            that an export has shown), `opens` (the last export that showed each lead open),
            `first_seen` and `text_changes` (the source text of leads), `presence` and
            `absent_leads` and so on (the facts of leads that the export does not have), `rejects`.
        folder: the store.
    """

    id: str
    manifest: dict[str, Any]
    folder: Path

    @property
    def known_until_us(self) -> int:
        """The moment of the export, up to which everything is known."""
        return int(self.manifest["known_until_us"])

    @property
    def first_us(self) -> int:
        """When the first lead was known."""
        return int(self.manifest["first_us"])

    @property
    def quarantined(self) -> dict[str, list[str]]:
        """The alarms that its delivery failed, with what was seen.

        None for a version that may count.
        """
        alarms: dict[str, list[str]] = self.manifest.get("quarantined", {})
        return alarms

    @property
    def observed(self) -> dict[str, Any]:
        """Rows and files of the changes that were seen between versions.

        The first versions have none.
        """
        part: dict[str, Any] = self.manifest.get("observed", NOTHING)
        return part

    @property
    def remembers_closes(self) -> bool:
        """Whether it says of every close when it was known.

        Undated versions and the first ones do not.
        """
        return "closes" in self.manifest

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table, or of a part beside the tables.

        None if the version has no such rows.

        Raises:
            CorruptFileError: one of them is gone or has other content.
        """
        paths = self.paths(table)
        check_objects(paths)
        return paths

    def paths(self, table: str) -> list[Path]:
        """Where these files lie, unchecked."""
        parts = _parts_by_name(self.manifest).get(table, [])
        paths: list[Path] = []
        for part in parts:
            paths += part_paths(self.folder, part)
        return paths

    def find_damage(self) -> list[str]:
        """The tables, and parts beside them, of which a file is gone or damaged."""
        names = (*sorted(self.manifest["tables"]), *BESIDE)
        return [name for name in names if not self._is_whole(name)]

    def _is_whole(self, name: str) -> bool:
        return all(is_whole(path) for path in self.paths(name))

    def schema(self, table: str) -> pa.Schema | None:
        """The Arrow schema of a stored table, or None if it has no rows."""
        files = self.files(table)
        return pq.read_schema(files[0]) if files else None


def all_parts(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows and files of everything that a version holds."""
    by_name = _parts_by_name(manifest)
    return [part for parts in by_name.values() for part in parts]


def _parts_by_name(manifest: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The parts of each table, and of what is beside the tables; `first_seen` alone has several."""
    beside = {name: manifest[name] for name in BESIDE if name in manifest}
    parts = {}
    for name, part in (manifest["tables"] | beside).items():
        parts[name] = part if isinstance(part, list) else [part]
    return parts


def manifest_path(folder: Path, version: str) -> Path:
    """Where the store at `folder` keeps the manifest of a version; readers hold a lease on it."""
    return folder / "versions" / f"{version[:ID_DIGITS]}.json"


def delivery_path(folder: Path, version: str) -> Path:
    """Where the store at `folder` keeps the keys of the parts that were read for a version."""
    return folder / "deliveries" / f"{version[:ID_DIGITS]}.json"


@contextmanager
def open_version(find: Callable[[], StoreVersion]) -> Iterator[StoreVersion]:
    """The version that `find` reads, under a lease, so that it is not pruned while it is used."""
    version = find()
    with lease(manifest_path(version.folder, version.id)) as is_held:
        yield version if is_held else find()


def write_version(
    folder: Path,
    manifest: dict[str, Any],
    *,
    parts: Sequence[str] = (),
) -> StoreVersion:
    """Store a manifest and make it the current version, in one rename.

    `parts` are the keys of what was read for it. They are stored beside the version and are not
    part of it, since other files may have the same content.
    """
    version = _write_manifest(folder, manifest, parts)
    make_current(version)
    return version


def quarantine_version(
    folder: Path,
    manifest: dict[str, Any],
    *,
    parts: Sequence[str] = (),
) -> StoreVersion:
    """Store a manifest whose delivery failed alarms (`quarantined`), without making it current.

    It can be listed and looked at, and is an ancestor of no version.
    """
    return _write_manifest(folder, manifest, parts)


def _write_manifest(
    folder: Path,
    manifest: dict[str, Any],
    parts: Sequence[str],
) -> StoreVersion:
    data = canonical_json(manifest)
    version = StoreVersion(hash_bytes(data)[:ID_DIGITS], manifest, folder)
    delivery = canonical_json({"parts": list(parts)})
    write_pointer(delivery_path(folder, version.id), delivery)
    write_pointer(manifest_path(folder, version.id), data)  # a damaged one is mended
    return version


def make_current(version: StoreVersion) -> None:
    """Make a stored version the current one, in one rename."""
    sha256 = hash_bytes(canonical_json(version.manifest))
    current = {"version": version.id, "sha256": sha256}
    write_pointer(version.folder / "current.json", canonical_json(current))


def read_pointer(folder: Path) -> str | None:
    """The SHA-256 of the current version's manifest, by current.json.

    None if that is gone or damaged.
    """
    try:
        current = read_json(folder / "current.json", POINTER)
    except CorruptFileError:
        return None
    sha256: str = current["sha256"]
    is_hash = re.fullmatch("[0-9a-f]{64}", sha256) is not None
    is_of_version = current["version"] == sha256[:ID_DIGITS]
    return sha256 if is_hash and is_of_version else None


def list_ids(folder: Path) -> list[str]:
    """The ids of all versions of a store, whole or not."""
    paths = list_folder(folder / "versions", "*.json")
    names = [path.stem for path in paths]
    return [name for name in names if re.fullmatch("[0-9a-f]{16}", name)]


def read_version(folder: Path, sha256: str) -> StoreVersion:
    """The version whose manifest's SHA-256 begins so.

    Its files are checked when they are asked for.

    Raises:
        CorruptFileError: the manifest is gone or has other content.
    """
    path = manifest_path(folder, sha256)
    try:
        data = read_verified(path, sha256=sha256)
    except CorruptFileError as e:
        cure = describe_recovery()
        raise CorruptFileError(path, expected=e.expected, actual=e.actual, cure=cure) from e
    return StoreVersion(sha256[:ID_DIGITS], json.loads(data), folder)


def read_current(folder: Path, *, project: str) -> StoreVersion:
    """The current version; its files are checked when they are asked for.

    If current.json is gone or damaged it is the version with the latest known_until, with a
    warning.

    Raises:
        NoStoreError: nothing was ingested yet.
        CorruptPointerError: current.json is damaged, and no version is alone the latest.
        CorruptFileError: its manifest is gone or damaged.
    """
    sha256 = read_pointer(folder)
    if sha256 is not None:
        return read_version(folder, sha256)

    path = folder / "current.json"
    if not is_there(path) and not list_ids(folder):
        raise NoStoreError(project, folder)
    latest = _find_latest(folder)
    if latest is None:
        raise CorruptPointerError(path)
    logger.warning(
        "%s is gone or damaged: the version with the latest known_until counts, %s. "
        "To make another one count: %s",
        path,
        latest.id,
        propose("store rollback VERSION"),
    )
    return latest


def _find_latest(folder: Path) -> StoreVersion | None:
    """The version with the latest known_until.

    None if a manifest is damaged, or several are the latest.
    """
    try:
        versions = [read_version(folder, name) for name in list_ids(folder)]
    except CorruptFileError:
        return None
    admitted = [version for version in versions if not version.quarantined]
    latest_us = max((version.known_until_us for version in admitted), default=None)
    latest = [version for version in admitted if version.known_until_us == latest_us]
    return latest[0] if len(latest) == 1 else None


def read_parts(version: StoreVersion) -> list[str]:
    """The keys of the parts that a version was made of, as far as they are known."""
    try:
        path = delivery_path(version.folder, version.id)
        delivery = read_json(path, {"parts": [str]})
    except CorruptFileError:
        return []
    return list(delivery["parts"])
