"""Whole files or none: hashing, canonical JSON and writes that a reader sees complete or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Lock
from typing import Any

from leadscore.errors import (
    CorruptFileError,
    DamagedFileError,
    UnreadableError,
    WriteError,
)
from leadscore.locks import WRITING, claim

CURE = "run again what wrote it"
ASKING = Lock()  # two threads that ask for the umask at once would change it


def hash_bytes(data: bytes) -> str:
    """SHA-256 of `data`, as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hex digits.

    Raises:
        UnreadableError: it is there and cannot be read.
        FileNotFoundError: there is none.
    """
    with _reading(path):
        _check_regular(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Tell what cannot be read from what is not there: only the second may be made anew."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as e:
        raise UnreadableError(path, e.strerror or str(e)) from e


def _check_regular(path: Path) -> None:
    """Refuse a folder, and a pipe, which would be waited for."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise UnreadableError(path, "it is a folder where a file should be")
    if not stat.S_ISREG(mode):
        raise UnreadableError(path, "it is not a regular file")


def read_if_there(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none.

    Raises:
        UnreadableError: it is there and cannot be read: its rights, a folder in its place, the disk.
    """
    try:
        with _reading(path):
            if not is_there(path):
                return None
            _check_regular(path)
            return path.read_bytes()
    except FileNotFoundError:  # removed in between
        return None


def read_start(path: Path, size: int) -> bytes:
    """The first `size` bytes of a file; none if there is no file.

    Raises:
        UnreadableError: it is there and cannot be read.
    """
    if not is_there(path):
        return b""
    with _reading(path):
        _check_regular(path)
        with path.open("rb") as file:
            return file.read(size)


def is_there(path: Path) -> bool:
    """Whether there is a file or folder of that path.

    Raises:
        UnreadableError: nobody knows, since its folder may not be looked into.
    """
    try:
        with _reading(path):
            try:
                path.stat()
            except NotADirectoryError:  # a file stands where its folder should
                return False
    except FileNotFoundError:
        return False
    return True


def list_folder(folder: Path, pattern: str = "*") -> list[Path]:
    """What is in a folder under names that match `pattern`, sorted; nothing if there is no such folder.

    `Path.glob` finds nothing in a folder that may not be read, as if it were empty.

    Raises:
        UnreadableError: it is there and cannot be listed.
    """
    try:
        with _reading(folder):
            names = os.listdir(folder)  # noqa: PTH208 (Path.iterdir is as lazy as glob)
    except FileNotFoundError:
        return []
    return sorted(folder / name for name in names if fnmatchcase(name, pattern))


def list_below(folder: Path) -> list[Path]:
    """All files below a folder, sorted.

    `Path.rglob` passes over folders that may not be read, as if they were empty.

    Raises:
        UnreadableError: one of them cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise UnreadableError(
            Path(error.filename or folder), error.strerror or str(error)
        ) from error

    files = [
        Path(home, name) for home, _, names in os.walk(folder, onerror=refuse) for name in names
    ]
    return sorted(path for path in files if path.is_file())


def list_manifests(folder: Path) -> list[Path]:
    """The manifest of every folder in `folder` that has one, sorted.

    Raises:
        UnreadableError: one of these folders cannot be looked into.
    """
    paths = [home / "manifest.json" for home in list_folder(folder)]
    return [path for path in paths if is_there(path)]


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """The same bytes for equal values: sorted keys, two spaces, UTF-8, no NaN."""
    return (
        json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


def read_json(
    path: Path, shape: Mapping[str, Any] | None = None, *, cure: str = CURE
) -> dict[str, Any]:
    """The object in a JSON file, which has the keys and types of `shape`; it may have more.

    Args:
        path: the file.
        shape: key -> a type, several types, a list of one shape, or a mapping as this one; the key `str` stands for
            every key.
        cure: what to do if it is damaged, for the message.

    Raises:
        DamagedFileError: it is gone, cut, or something else.
        UnreadableError: it is there and cannot be read.
    """
    data = read_if_there(path)
    if data is None:
        raise DamagedFileError(path, "it is gone", cure=cure)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise DamagedFileError(path, "it is not JSON", cure=cure) from e
    if problem := _find_mismatch(found, shape or {}, "it"):
        raise DamagedFileError(path, problem, cure=cure)
    return dict(found)


def _find_mismatch(value: Any, shape: Any, name: str) -> str | None:
    """In what a value differs from a shape, in words."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{name} is no list"
        inside = [(item, shape[0], f"an item of {name}") for item in value]
    elif isinstance(shape, Mapping):
        if not isinstance(value, dict):
            return f"{name} is no object"
        if str in shape:
            shape = dict.fromkeys(value, shape[str])
        if missing := [key for key in shape if key not in value]:
            return f"{name} has no {missing[0]!r}"
        inside = [(value[key], inner, repr(key)) for key, inner in shape.items()]
    else:
        wanted = isinstance(value, shape) and (not isinstance(value, bool) or shape is bool)
        return None if wanted else f"{name} is {json.dumps(value)[:40]}"
    problems = (_find_mismatch(*each) for each in inside)
    return next(filter(None, problems), None)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(folder: Path, fill: Callable[[Path], Path | None], *, private: bool = False) -> None:
    """Let `fill` write a file within `folder`, then rename it, in one step, to the path that `fill` returns.

    `fill` is called with a temporary path; what it returns may depend on what it wrote, such as a content hash;
    None discards the file. Others may do with it what the umask lets them; with a `private` one, nothing.

    Raises:
        WriteError: the disk is full, the folder may not be written, ...; the path is as it was.
    """
    write_together(folder, 1, lambda paths: [fill(paths[0])], private=private)


def write_together(
    folder: Path,
    n: int,
    fill: Callable[[list[Path]], Sequence[Path | None]],
    *,
    private: bool = False,
) -> None:
    """The same for `n` files that `fill` writes together; each is renamed in a step of its own."""
    besides: list[Path] = []
    handles: list[int] = []
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            while len(besides) < n:
                handle, name = tempfile.mkstemp(prefix=WRITING, dir=folder)
                handles.append(handle)
                if claim(Path(name), handle):
                    besides.append(Path(name))
            for beside, path in zip(besides, fill(besides), strict=True):
                if path is not None:
                    _rename(beside, path, mode=0o600 if private else 0o666 & ~_umask())
        finally:
            for beside in besides:
                beside.unlink(missing_ok=True)
            for handle in handles:
                os.close(handle)
    except OSError as e:
        raise WriteError(folder, e.strerror or str(e)) from e


def _rename(beside: Path, path: Path, *, mode: int) -> None:
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.chmod(mode)  # mkstemp's 0600 would lock out readers that the umask lets in
    path.parent.mkdir(parents=True, exist_ok=True)
    beside.replace(path)
    sync_folder(path.parent)


def _umask() -> int:
    """What this process takes from the rights of its new files; it can only be read by setting it."""
    with ASKING:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask


def write_bytes(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write `data` to `path` in one step; only its owner may read a `private` file."""

    def fill(beside: Path) -> Path:
        beside.write_bytes(data)
        return path

    write_file(path.parent, fill, private=private)


def write_pointer(path: Path, data: bytes) -> None:
    """Replace the small file that names what counts, in one step; one that says so already is left alone.

    Raises:
        UnreadableError: what is there cannot be read, and is not replaced unseen.
        WriteError: it cannot be written.
    """
    if read_if_there(path) != data:
        write_bytes(path, data)


def read_verified(path: Path, *, sha256: str) -> bytes:
    """The bytes of `path`, whose hash must be, or begin with, `sha256`.

    Raises:
        CorruptFileError: they do not.
        UnreadableError: it is there and cannot be read.
    """
    data = read_if_there(path)
    if data is None:
        raise CorruptFileError(path, expected=sha256, found="none")
    if not (found := hash_bytes(data)).startswith(sha256):
        raise CorruptFileError(path, expected=sha256, found=found)
    return data


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder whose name stands for its content, whole or not at all.

    One that is there is left alone, but for files of it that were changed or are gone: they are written again.

    Raises:
        WriteError: the disk is full, the folder may not be written, ...; nothing is visible of it.
    """
    if is_there(folder):
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
        beside, handle = _make_folder(folder.parent)
        try:
            fill(beside)
            beside.chmod(
                0o777 & ~_umask()
            )  # mkdtemp's 0700 would lock out readers that the umask lets in
            try:
                beside.rename(folder)
            except OSError:
                if not folder.exists():  # else another process wrote the same content first
                    raise
            sync_folder(folder.parent)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            os.close(handle)
    except OSError as e:
        raise WriteError(folder, e.strerror or str(e)) from e


def _make_folder(parent: Path) -> tuple[Path, int]:
    """A new folder that no other process sweeps while the handle is open."""
    while True:
        beside = Path(tempfile.mkdtemp(prefix=WRITING, dir=parent))
        try:
            handle = os.open(beside, os.O_RDONLY)
        except FileNotFoundError:  # swept before it could be claimed
            continue
        if claim(beside, handle):
            return beside, handle
        os.close(handle)
