"""Versions of the stored tables: a manifest names shared files by their content; one rename makes it current."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.errors import CorruptFileError, CorruptPointerError, NoStoreError, WriteError
from leadscore.files import (
    canonical_json,
    hash_bytes,
    hash_file,
    read_json,
    read_verified,
    write_pointer,
    write_together,
)

ROW_GROUP = 250_000
BESIDE = ("rejects", "observed", "closes")  # what a version holds beside its tables
NOTHING: dict[str, Any] = {"rows": 0, "files": []}


@dataclass(frozen=True)
class StoreVersion:
    """One immutable state of the stored tables.

    `id` is the hash of the manifest, so equal content has an equal id. `manifest` holds `known_until_us`,
    `first_us`, `tables` (rows and files of each), `observed` (changes seen between versions), `closes` (every close
    that an export has shown), `rejects`, `accounts` and `warnings`.
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
    def observed(self) -> dict[str, Any]:
        """Rows and files of the changes that were seen between versions; the first versions know of none."""
        found: dict[str, Any] = self.manifest.get("observed", NOTHING)
        return found

    @property
    def remembers_closes(self) -> bool:
        """Whether it says of every close when it was known; undated versions and the first ones do not."""
        return "closes" in self.manifest

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table or of a part beside the tables; none if the version has no such rows."""
        apart = {name: self.manifest[name] for name in BESIDE if name in self.manifest}
        part = (self.manifest["tables"] | apart).get(table, NOTHING)
        return [object_path(self.folder, file["sha256"]) for file in part["files"]]

    def schema(self, table: str) -> pa.Schema | None:
        """The Arrow schema of a stored table, or None if it has no rows."""
        files = self.files(table)
        return pq.read_schema(files[0]) if files else None


def object_path(folder: Path, sha256: str) -> Path:
    """Where a store keeps the file of that content."""
    return folder / "objects" / sha256[:2] / f"{sha256}.parquet"


def write_rows(folder: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> dict[str, Any]:
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
            writers = [stack.enter_context(pq.ParquetWriter(path, schema, compression="zstd"))
                       for path, schema in zip(paths, schemas, strict=True)]  # fmt: skip
            threads = stack.enter_context(ThreadPoolExecutor(len(schemas)))
            for group in _groups(whole, (batch.select(names) for batch in batches)):
                done = [threads.submit(writer.write_table, group.select(schema.names), row_group_size=ROW_GROUP)
                        for writer, schema in zip(writers, schemas, strict=True)]  # fmt: skip
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


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time changes the store at `folder`; others wait. Readers need no lock.

    Raises:
        WriteError: the folder may not be written, ...
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as e:
        raise WriteError(folder, e.strerror or str(e)) from e
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_version(folder: Path, manifest: dict[str, Any], *, parts: Sequence[str] = ()) -> StoreVersion:
    """Keep a manifest and make it the current version, in one rename.

    `parts` are the keys of what was read for it: they are kept beside the version and are no part of it, since other
    files may say the same.
    """
    data = canonical_json(manifest)
    sha256 = hash_bytes(data)
    write_pointer(folder / "deliveries" / f"{sha256[:16]}.json", canonical_json({"parts": list(parts)}))
    write_pointer(folder / "versions" / f"{sha256[:16]}.json", data)  # a damaged one is mended
    current = canonical_json({"version": sha256[:16], "sha256": sha256})
    write_pointer(folder / "current.json", current)
    return StoreVersion(sha256[:16], manifest, folder)


def _read_pointer(path: Path) -> str:
    """The SHA-256 of the current version's manifest."""
    try:
        current = read_json(path)
        version, sha256 = current["version"], current["sha256"]
    except (ValueError, KeyError, TypeError) as e:
        raise CorruptPointerError(path) from e
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256) or version != sha256[:16]:
        raise CorruptPointerError(path)
    return sha256


def read_current(folder: Path, *, project: str) -> StoreVersion:
    """The current version, every file of it checked against its hash.

    Raises:
        NoStoreError: nothing was ingested yet.
        CorruptFileError: a file is not what the manifest says.
    """
    if not (folder / "current.json").exists():
        raise NoStoreError(project, folder)
    return read_version(folder, _read_pointer(folder / "current.json"))


def read_parts(version: StoreVersion) -> list[str]:
    """The keys of the parts that a version was made of, as far as they are known."""
    path = version.folder / "deliveries" / f"{version.id}.json"
    return list(read_json(path)["parts"]) if path.exists() else []


def write_attempt(folder: Path, rejects: dict[str, Any], *, stopped: str | None) -> None:
    """Keep which rows the last ingest rejected, and why it stopped, if it did."""
    write_pointer(folder / "attempt.json", canonical_json({"rejects": rejects, "stopped": stopped}))


def read_attempt(folder: Path, *, project: str) -> dict[str, Any]:
    """What `write_attempt` kept; without it the rejects of the current version.

    Raises:
        NoStoreError: nothing was ingested yet.
    """
    if (folder / "attempt.json").exists():
        return read_json(folder / "attempt.json")
    rejects = read_current(folder, project=project).manifest["rejects"]
    return {"rejects": {"warned": {}, **rejects}, "stopped": None}


def all_parts(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows and files of everything that a version holds."""
    return [*manifest["tables"].values(), *(manifest[name] for name in BESIDE if name in manifest)]


def read_version(folder: Path, sha256: str) -> StoreVersion:
    """The version whose manifest's SHA-256 begins so, every file of it checked against its hash."""
    path = folder / "versions" / f"{sha256[:16]}.json"
    version = StoreVersion(sha256[:16], json.loads(read_verified(path, sha256=sha256)), folder)
    for part in all_parts(version.manifest):
        for file in part["files"]:
            found = hash_file(stored) if (stored := object_path(folder, file["sha256"])).exists() else "none"
            if found != file["sha256"]:
                raise CorruptFileError(stored, expected=file["sha256"], found=found)
    return version
