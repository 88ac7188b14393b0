"""Versions of the stored tables: a manifest names shared files by their content; one rename makes it current."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.atomic import write_pointer, write_together
from leadscore.errors import CorruptFileError, CorruptPointerError, DamagedStoreError, NoStoreError
from leadscore.files import hash_bytes, hash_file, is_there, list_folder, read_verified
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import lease
from leadscore.proposals import propose

ROW_GROUP = 250_000
ABSENT = tuple(
    f"absent_{name}" for name in ("leads", "changes", "activities", "stages", "outcomes")
)
BESIDE = (
    "rejects",
    "observed",
    "closes",
    "opens",
    "text_changes",
    "first_seen",
    "presence",
    *ABSENT,
)  # what a version holds beside its tables
NOTHING: dict[str, Any] = {"rows": 0, "files": []}
POINTER = {"version": str, "sha256": str}
FILES = {"rows": int, "files": [{"sha256": str, "rows": int}]}
ATTEMPT = {
    "rejects": FILES | {"rules": {str: int}, "warned": {str: int}},
    "stopped": (str, type(None)),
}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoreVersion:
    """One immutable state of the stored tables.

    `id` is the hash of the manifest, so equal content has an equal id. `manifest` holds `known_until_us`,
    `first_us`, `tables` (rows and files of each), `observed` (changes seen between versions), `closes` (every close
    that an export has shown), `opens` (the last export that showed each lead open), `first_seen` and `text_changes`
    (the source text of leads), `presence` and `absent_leads` and so on (the facts of leads that the export does not
    have), `rejects`, `accounts` and `warnings`.
    """

    id: str
    manifest: dict[str, Any]
    folder: Path

    @property
    def known_until_us(self) -> int:
        """The moment up to which the exports tell everything."""
        return int(self.manifest["known_until_us"])

    @property
    def first_us(self) -> int:
        """When the first lead was known."""
        return int(self.manifest["first_us"])

    @property
    def quarantined(self) -> dict[str, list[str]]:
        """The alarms that its delivery failed, with what was seen; none for a version that may count."""
        seen: dict[str, list[str]] = self.manifest.get("quarantined", {})
        return seen

    @property
    def observed(self) -> dict[str, Any]:
        """Rows and files of the changes that were seen between versions; the first versions know of none."""
        found: dict[str, Any] = self.manifest.get("observed", NOTHING)
        return found

    @property
    def remembers_closes(self) -> bool:
        """Whether it says of every close when it was known; undated versions and the first ones do not."""
        return "closes" in self.manifest

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table or of a part beside the tables; none if the version has no such rows.

        Raises:
            DamagedStoreError: one of them is gone or not what the manifest says.
        """
        paths = self.paths(table)
        check_objects(paths)
        return paths

    def paths(self, table: str) -> list[Path]:
        """Where these files lie, unchecked."""
        parts = _parts(self.manifest).get(table, [])
        return [
            object_path(self.folder, file["sha256"]) for part in parts for file in part["files"]
        ]

    def find_damage(self) -> list[str]:
        """The tables, and parts beside them, of which a file is gone or damaged."""
        names = (*sorted(self.manifest["tables"]), *BESIDE)
        return [name for name in names if not all(map(is_whole, self.paths(name)))]

    def schema(self, table: str) -> pa.Schema | None:
        """The Arrow schema of a stored table, or None if it has no rows."""
        files = self.files(table)
        return pq.read_schema(files[0]) if files else None


def object_path(folder: Path, sha256: str) -> Path:
    """Where a store keeps the file of that content."""
    return folder / "objects" / sha256[:2] / f"{sha256}.parquet"


_hashes: dict[tuple[Path, int, int, int], str] = {}  # of files as this process has read them


def hash_object(path: Path) -> str:
    """SHA-256 of a stored file, computed once while the file is as it was; "none" if there is no such file.

    Raises:
        UnreadableError: it is there and cannot be read.
    """
    if not is_there(path):
        return "none"
    try:
        found = path.stat()
        key = (path, found.st_size, found.st_mtime_ns, found.st_ino)
        if key not in _hashes:
            _hashes[key] = hash_file(path)
    except FileNotFoundError:  # removed in between
        return "none"
    return _hashes[key]


def is_whole(path: Path) -> bool:
    """Whether a stored file is there and what its name says."""
    return hash_object(path) == path.stem


def check_objects(paths: Sequence[Path]) -> None:
    """Compare stored files with the hashes that name them.

    Raises:
        DamagedStoreError: one of them is gone or something else.
    """
    with ThreadPoolExecutor(4) as threads:
        for path, found in zip(paths, threads.map(hash_object, paths), strict=True):
            if found != path.stem:
                raise DamagedStoreError(path, expected=path.stem, found=found)


def manifest_path(folder: Path, version: str) -> Path:
    """Where a store keeps the manifest of a version; readers hold a lease on it."""
    return folder / "versions" / f"{version[:16]}.json"


@contextmanager
def open_version(find: Callable[[], StoreVersion]) -> Iterator[StoreVersion]:
    """The version that `find` reads, under a lease, so that it is not pruned while it is used."""
    version = find()
    with lease(manifest_path(version.folder, version.id)) as is_held:
        yield version if is_held else find()


def write_rows(
    folder: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> dict[str, Any]:
    """Rows as a file named by its content; returns {"rows": n, "files": [{"sha256", "rows"}]}.

    Equal rows in equal order give equal bytes, however they were batched.
    """
    return write_columns(folder, [schema], batches)[0]


def write_columns(
    folder: Path, schemas: Sequence[pa.Schema], batches: Iterable[pa.RecordBatch]
) -> list[dict[str, Any]]:
    """The same rows as several files, each with the columns of one schema; returns what `write_rows` does, for each."""
    names = [name for schema in schemas for name in schema.names]
    whole = pa.schema([field for schema in schemas for field in schema])
    parts: list[dict[str, Any]] = [{"rows": 0, "files": []} for _ in schemas]

    def fill(paths: list[Path]) -> list[Path | None]:
        with ExitStack() as stack:
            writers = [
                stack.enter_context(pq.ParquetWriter(path, schema, compression="zstd"))
                for path, schema in zip(paths, schemas, strict=True)
            ]
            threads = stack.enter_context(ThreadPoolExecutor(len(schemas)))
            for group in _groups(whole, (batch.select(names) for batch in batches)):
                done = [
                    threads.submit(
                        writer.write_table, group.select(schema.names), row_group_size=ROW_GROUP
                    )
                    for writer, schema in zip(writers, schemas, strict=True)
                ]
                for part, each in zip(parts, done, strict=True):
                    each.result()
                    part["rows"] += group.num_rows
        return [_named(folder, path, part) for path, part in zip(paths, parts, strict=True)]

    write_together(folder, len(schemas), fill)
    return parts


def _named(folder: Path, path: Path, part: dict[str, Any]) -> Path | None:
    """Where a written file belongs, noted in its part; None if it has no rows."""
    if not part["rows"]:
        return None
    sha256 = hash_file(path)
    part["files"] = [{"sha256": sha256, "rows": part["rows"]}]
    return object_path(folder, sha256)


def _groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in tables of exactly `ROW_GROUP` rows, but for the last."""
    held: list[pa.RecordBatch] = []
    n = 0
    for batch in batches:
        held.append(batch.cast(schema) if batch.schema != schema else batch)
        n += batch.num_rows
        while n >= ROW_GROUP:
            table = pa.Table.from_batches(held, schema)
            yield table.slice(0, ROW_GROUP).combine_chunks()
            held = table.slice(ROW_GROUP).to_batches()
            n -= ROW_GROUP
    if n:
        yield pa.Table.from_batches(held, schema).combine_chunks()


def write_version(
    folder: Path, manifest: dict[str, Any], *, parts: Sequence[str] = ()
) -> StoreVersion:
    """Keep a manifest and make it the current version, in one rename.

    `parts` are the keys of what was read for it: they are kept beside the version and are no part of it, since other
    files may say the same.
    """
    version, sha256 = _keep_manifest(folder, manifest, parts)
    current = canonical_json({"version": version.id, "sha256": sha256})
    write_pointer(folder / "current.json", current)
    return version


def quarantine_version(
    folder: Path, manifest: dict[str, Any], *, parts: Sequence[str] = ()
) -> StoreVersion:
    """Keep a manifest that names, under `quarantined`, the alarms that its delivery failed; it does not become current.

    It can be listed and looked at, and is an ancestor of no version.
    """
    return _keep_manifest(folder, manifest, parts)[0]


def _keep_manifest(
    folder: Path, manifest: dict[str, Any], parts: Sequence[str]
) -> tuple[StoreVersion, str]:
    data = canonical_json(manifest)
    sha256 = hash_bytes(data)
    write_pointer(
        folder / "deliveries" / f"{sha256[:16]}.json", canonical_json({"parts": list(parts)})
    )
    write_pointer(folder / "versions" / f"{sha256[:16]}.json", data)  # a damaged one is mended
    return StoreVersion(sha256[:16], manifest, folder), sha256


def read_pointer(folder: Path) -> str | None:
    """The SHA-256 of the current version's manifest as current.json says; None if it is gone or damaged."""
    try:
        current = read_json(folder / "current.json", POINTER)
    except CorruptFileError:
        return None
    sha256: str = current["sha256"]
    return (
        sha256
        if re.fullmatch("[0-9a-f]{64}", sha256) and current["version"] == sha256[:16]
        else None
    )


def list_ids(folder: Path) -> list[str]:
    """The ids of all versions of a store, whole or not."""
    paths = list_folder(folder / "versions", "*.json")
    return [path.stem for path in paths if re.fullmatch("[0-9a-f]{16}", path.stem)]


def read_current(folder: Path, *, project: str) -> StoreVersion:
    """The current version; its files are checked when they are asked for.

    If current.json is gone or damaged it is the version with the latest known_until, with a warning.

    Raises:
        NoStoreError: nothing was ingested yet.
        CorruptPointerError: current.json is damaged, and no version is alone the latest.
        CorruptFileError: its manifest is gone or damaged.
    """
    if (sha256 := read_pointer(folder)) is not None:
        return read_version(folder, sha256)
    path = folder / "current.json"
    if not is_there(path) and not list_ids(folder):
        raise NoStoreError(project, folder)
    latest = _find_latest(folder)
    if latest is None:
        raise CorruptPointerError(path)
    logger.warning(
        "%s is gone or damaged: the version with the latest known_until counts, %s. To make another one count: "
        "%s",
        path,
        latest.id,
        propose("store rollback VERSION"),
    )
    return latest


def _find_latest(folder: Path) -> StoreVersion | None:
    """The version with the latest known_until; None if a manifest is damaged, or several are the latest."""
    try:
        versions = [
            each
            for each in (read_version(folder, name) for name in list_ids(folder))
            if not each.quarantined
        ]
    except CorruptFileError:
        return None
    latest = max((each.known_until_us for each in versions), default=None)
    found = [each for each in versions if each.known_until_us == latest]
    return found[0] if len(found) == 1 else None


def read_parts(version: StoreVersion) -> list[str]:
    """The keys of the parts that a version was made of, as far as they are known."""
    try:
        found = read_json(version.folder / "deliveries" / f"{version.id}.json", {"parts": [str]})
    except CorruptFileError:
        return []
    return list(found["parts"])


def write_attempt(folder: Path, rejects: dict[str, Any], *, stopped: str | None) -> None:
    """Keep which rows the last ingest rejected, and why it stopped, if it did."""
    write_pointer(folder / "attempt.json", canonical_json({"rejects": rejects, "stopped": stopped}))


def read_attempt(folder: Path, *, project: str) -> dict[str, Any]:
    """What `write_attempt` kept; without it the rejects of the current version.

    Raises:
        NoStoreError: nothing was ingested yet.
    """
    path = folder / "attempt.json"
    if is_there(path):
        try:
            return read_json(
                path, ATTEMPT, cure="what the current version rejected is shown instead"
            )
        except CorruptFileError as e:
            logger.warning("%s", e)
    rejects = read_current(folder, project=project).manifest["rejects"]
    return {"rejects": {"warned": {}, **rejects}, "stopped": None}


def all_parts(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows and files of everything that a version holds."""
    return [part for parts in _parts(manifest).values() for part in parts]


def _parts(manifest: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The parts of each table, and of what is beside the tables; `first_seen` is one of several."""
    beside = {name: manifest[name] for name in BESIDE if name in manifest}
    named = manifest["tables"] | beside
    return {name: part if isinstance(part, list) else [part] for name, part in named.items()}


def read_version(folder: Path, sha256: str) -> StoreVersion:
    """The version whose manifest's SHA-256 begins so; its files are checked when they are asked for.

    Raises:
        DamagedStoreError: the manifest is gone or something else.
    """
    path = manifest_path(folder, sha256)
    try:
        data = read_verified(path, sha256=sha256)
    except CorruptFileError as e:
        raise DamagedStoreError(path, expected=e.expected, found=e.found) from e
    return StoreVersion(sha256[:16], json.loads(data), folder)
