"""Versions of the stored tables: a manifest names shared files by their content; one rename makes it current."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
    write_file,
    write_pointer,
)

ROW_GROUP = 250_000


@dataclass(frozen=True)
class StoreVersion:
    """One immutable state of the stored tables.

    `id` is the hash of the manifest, so equal content has an equal id. `manifest` holds `known_until_us`,
    `first_us`, `tables` (rows and files of each), `rejects`, `accounts` and `warnings`.
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

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table, or of `rejects`; none if the version has no such rows."""
        part = self.manifest["rejects"] if table == "rejects" else self.manifest["tables"].get(table, {"files": []})
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
    part: dict[str, Any] = {"rows": 0, "files": []}

    def fill(path: Path) -> Path | None:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for group in _groups(schema, batches):
                writer.write_table(group, row_group_size=ROW_GROUP)
                part["rows"] += group.num_rows
        if not part["rows"]:
            return None
        sha256 = hash_file(path)
        part["files"] = [{"sha256": sha256, "rows": part["rows"]}]
        return object_path(folder, sha256)

    write_file(folder, fill)
    return part


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


def write_version(folder: Path, manifest: dict[str, Any]) -> StoreVersion:
    """Keep a manifest and make it the current version, in one rename."""
    data = canonical_json(manifest)
    sha256 = hash_bytes(data)
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


def read_version(folder: Path, sha256: str) -> StoreVersion:
    """The version whose manifest's SHA-256 begins so, every file of it checked against its hash."""
    path = folder / "versions" / f"{sha256[:16]}.json"
    version = StoreVersion(sha256[:16], json.loads(read_verified(path, sha256=sha256)), folder)
    for part in [*version.manifest["tables"].values(), version.manifest["rejects"]]:
        for file in part["files"]:
            found = hash_file(stored) if (stored := object_path(folder, file["sha256"])).exists() else "none"
            if found != file["sha256"]:
                raise CorruptFileError(stored, expected=file["sha256"], found=found)
    return version
