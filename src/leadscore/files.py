"""Whole files or none: hashing, canonical JSON and writes that a reader sees complete or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from leadscore.errors import CorruptFileError, WriteError


def hash_bytes(data: bytes) -> str:
    """SHA-256 of `data`, as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """The same bytes for equal values: sorted keys, two spaces, UTF-8, no NaN."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file."""
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(folder: Path, fill: Callable[[Path], Path | None]) -> None:
    """Let `fill` write a file within `folder`, then rename it, in one step, to the path that `fill` returns.

    `fill` is called with a temporary path; what it returns may depend on what it wrote, such as a content hash;
    None discards the file.

    Raises:
        WriteError: the disk is full, the folder may not be written, ...; the path is as it was.
    """
    write_together(folder, 1, lambda paths: [fill(paths[0])])


def write_together(folder: Path, n: int, fill: Callable[[list[Path]], Sequence[Path | None]]) -> None:
    """The same for `n` files that `fill` writes together; each is renamed in a step of its own."""
    besides: list[Path] = []
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for _ in range(n):
                handle, name = tempfile.mkstemp(prefix=".writing-", dir=folder)
                os.close(handle)
                besides.append(Path(name))
            for beside, path in zip(besides, fill(besides), strict=True):
                if path is not None:
                    _rename(beside, path)
        finally:
            for beside in besides:
                beside.unlink(missing_ok=True)
    except OSError as e:
        raise WriteError(folder, e.strerror or str(e)) from e


def _rename(beside: Path, path: Path) -> None:
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.chmod(0o644)  # mkstemp's 0600 would lock out other readers
    path.parent.mkdir(parents=True, exist_ok=True)
    beside.replace(path)
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` in one step."""

    def fill(beside: Path) -> Path:
        beside.write_bytes(data)
        return path

    write_file(path.parent, fill)


def write_pointer(path: Path, data: bytes) -> None:
    """Replace the small file that names what counts, in one step; one that says so already is left alone."""
    if not path.exists() or path.read_bytes() != data:
        write_bytes(path, data)


def read_verified(path: Path, *, sha256: str) -> bytes:
    """The bytes of `path`, whose hash must be, or begin with, `sha256`.

    Raises:
        CorruptFileError: they do not.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as e:
        raise CorruptFileError(path, expected=sha256, found="none") from e
    if not (found := hash_bytes(data)).startswith(sha256):
        raise CorruptFileError(path, expected=sha256, found=found)
    return data


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder whose name stands for its content, whole or not at all.

    One that is there is left alone, but for files of it that were changed or are gone: they are written again.

    Raises:
        WriteError: the disk is full, the folder may not be written, ...; nothing is visible of it.
    """
    if folder.exists():
        for name, data in files.items():
            write_pointer(folder / name, data)
        return

    def fill(beside: Path) -> None:
        for name, data in files.items():
            write_bytes(beside / name, data)

    fill_folder(folder, fill)


def fill_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into an empty folder, then give it the name `folder`, in one step.

    Raises:
        WriteError: the disk is full, the folder may not be written, ...; nothing is visible of it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
        try:
            fill(beside)
            beside.chmod(0o755)  # mkdtemp's 0700 would lock out other readers
            try:
                beside.rename(folder)
            except OSError:
                if not folder.exists():  # else another process wrote the same content first
                    raise
            sync_folder(folder.parent)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as e:
        raise WriteError(folder, e.strerror or str(e)) from e
