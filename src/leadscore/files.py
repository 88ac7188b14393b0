"""Reading files and folders: what is missing, what cannot be read, and what is not what it should be.

The three are kept apart: only what is missing may be made anew.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from leadscore.errors import CorruptFileError, UserError


def hash_bytes(data: bytes) -> str:
    """SHA-256 of `data`, as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hex digits.

    Raises:
        UserError: it exists and cannot be read.
        FileNotFoundError: it does not exist.
    """
    with _reading(path):
        _check_regular(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def read_if_there(path: Path) -> bytes | None:
    """The bytes of a file, or None if it does not exist.

    Raises:
        UserError: it exists and cannot be read: its rights, a folder in its place, the disk.
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
    """The first `size` bytes of a file; none if it does not exist.

    Raises:
        UserError: it exists and cannot be read.
    """
    if not is_there(path):
        return b""
    with _reading(path):
        _check_regular(path)
        with path.open("rb") as file:
            return file.read(size)


def read_verified(path: Path, *, sha256: str) -> bytes:
    """The bytes of a file whose hash must be, or begin with, `sha256`.

    Raises:
        CorruptFileError: its hash differs, or the file does not exist.
        UserError: the file exists and cannot be read.
    """
    data = read_if_there(path)
    if data is None:
        raise CorruptFileError(path, expected=sha256, actual="none")
    actual = hash_bytes(data)
    if not actual.startswith(sha256):
        raise CorruptFileError(path, expected=sha256, actual=actual)
    return data


@contextmanager
def open_verified(path: Path, *, sha256: str) -> Iterator[BinaryIO]:
    """A file whose hash must be `sha256`, open to be read; of a long one only parts may be needed.

    Raises:
        CorruptFileError: its hash differs, or the file does not exist.
        UserError: the file exists and cannot be read.
    """
    if not is_there(path):
        raise CorruptFileError(path, expected=sha256, actual="none")
    with _reading(path):
        _check_regular(path)
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
            if actual != sha256:
                raise CorruptFileError(path, expected=sha256, actual=actual)
            file.seek(0)
            yield file


def check_file(path: Path, *, sha256: str) -> None:
    """Refuse a file whose hash is not `sha256`, without having all of it in memory.

    Raises:
        CorruptFileError: its hash differs, or the file does not exist.
        UserError: the file exists and cannot be read.
    """
    try:
        actual = hash_file(path)
    except FileNotFoundError:
        actual = "none"
    if actual != sha256:
        raise CorruptFileError(path, expected=sha256, actual=actual)


def is_there(path: Path) -> bool:
    """Whether a file or folder of that path exists.

    Raises:
        UserError: nobody knows, since its folder may not be looked into.
    """
    try:
        with _reading(path):
            return _exists(path)
    except FileNotFoundError:
        return False


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except NotADirectoryError:  # a file stands where its folder should be
        return False
    return True


def list_folder(folder: Path, pattern: str = "*") -> list[Path]:
    """The paths in a folder whose names match `pattern`, sorted; none if the folder does not exist.

    `Path.glob` would return nothing for a folder that may not be read, as if it were empty.

    Raises:
        UserError: it exists and cannot be listed.
    """
    try:
        with _reading(folder):
            names = os.listdir(folder)  # noqa: PTH208 (Path.iterdir is as lazy as glob)
    except FileNotFoundError:
        return []
    return sorted(folder / name for name in names if fnmatchcase(name, pattern))


def list_below(folder: Path) -> list[Path]:
    """All files below a folder, sorted.

    `Path.rglob` would pass over folders that may not be read, as if they were empty.

    Raises:
        UserError: one of them cannot be listed.
    """

    def refuse(error: OSError) -> None:
        path = Path(error.filename or folder)
        raise UserError(describe_unreadable(path, error.strerror or str(error))) from error

    files: list[Path] = []
    for home, _, names in os.walk(folder, onerror=refuse):
        paths = [Path(home, name) for name in names]
        files += [path for path in paths if path.is_file()]
    return sorted(files)


def list_manifests(folder: Path) -> list[Path]:
    """The manifest of every folder in `folder` that has one, sorted.

    Raises:
        UserError: one of these folders cannot be looked into.
    """
    paths = [home / "manifest.json" for home in list_folder(folder)]
    return [path for path in paths if is_there(path)]


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raise a UserError for every failure but that of a file that does not exist."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as e:
        raise UserError(describe_unreadable(path, e.strerror or str(e))) from e


def _check_regular(path: Path) -> None:
    """Refuse a folder, and a pipe, which would be waited for."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise UserError(describe_unreadable(path, "it is a folder where a file should be"))
    if not stat.S_ISREG(mode):
        raise UserError(describe_unreadable(path, "it is not a regular file"))


def describe_unreadable(path: Path, problem: str) -> str:
    """That a file or folder exists and cannot be read, which says nothing about its content."""
    reason = problem[:1].lower() + problem[1:]
    return (
        f"{path} cannot be read: {reason}. Put that right, then run the same command again; "
        "nothing was replaced"
    )
