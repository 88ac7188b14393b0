"""Writing files and folders whole or not at all: a reader sees the old content or the new, never half."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from leadscore.errors import UnavailableError
from leadscore.files import hash_file, is_there, read_if_there
from leadscore.locks import WRITING, claim, describe_write_failure

Content = bytes | Path  # of a file to write: its bytes, or another file that has them
UMASK_LOCK = Lock()  # two threads that read the umask at once would change it


def write_bytes(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write `data` to `path` in one step; only its owner may read a `private` file.

    A symbolic link stays, and the file that it leads to is written.

    Raises:
        UnavailableError: it cannot be written.
    """
    target = follow_link(path)

    def fill(temporary: Path) -> Path:
        temporary.write_bytes(data)
        return target

    write_file(target.parent, fill, private=private)


def follow_link(path: Path) -> Path:
    """The file that a symbolic link leads to, whether it is there or not; else the path itself.

    Raises:
        UnavailableError: its folder may not be looked into.
    """
    with _as_unavailable(path.parent):
        return Path(os.path.realpath(path)) if path.is_symlink() else path


def write_pointer(path: Path, data: bytes) -> None:
    """Replace the small file that names what counts, in one step, unless it says so already.

    Raises:
        UserError: the present file cannot be read, and is not replaced unseen.
        UnavailableError: it cannot be written.
    """
    if read_if_there(path) != data:
        write_bytes(path, data)


def write_file(folder: Path, fill: Callable[[Path], Path | None], *, private: bool = False) -> None:
    """Let `fill` write a file within `folder`, then move it, in one step, to the path it returns.

    Args:
        folder: where the temporary file is made, which must be on the same disk as the path.
        fill: is called with the temporary path. The path that it returns may depend on what it
            wrote, such as a content hash; None discards the file.
        private: whether only the owner may read the file; else the umask decides.

    Raises:
        UnavailableError: the disk is full, the folder may not be written, ...; the path is as it was.
    """
    write_together(folder, 1, lambda paths: [fill(paths[0])], private=private)


def write_together(
    folder: Path,
    n: int,
    fill: Callable[[list[Path]], Sequence[Path | None]],
    *,
    private: bool = False,
) -> None:
    """Like `write_file`, for `n` files that `fill` writes together; each moves in a step of its own.

    Raises:
        UnavailableError: the disk is full, the folder may not be written, ...
    """
    mode = 0o600 if private else 0o666 & ~_read_umask()
    with _as_unavailable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _temporary_files(folder, n) as temporaries:
            targets = fill(temporaries)
            for temporary, path in zip(temporaries, targets, strict=True):
                if path is not None:
                    _move(temporary, path, mode=mode)


@contextmanager
def _temporary_files(folder: Path, n: int) -> Iterator[list[Path]]:
    """New files that no other process sweeps within; what is left of them at the end is removed."""
    paths: list[Path] = []
    handles: list[int] = []
    try:
        while len(paths) < n:
            handle, name = tempfile.mkstemp(prefix=WRITING, dir=folder)
            handles.append(handle)
            if claim(Path(name), handle):
                paths.append(Path(name))
        yield paths
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
        for handle in handles:
            os.close(handle)


def _move(temporary: Path, path: Path, *, mode: int) -> None:
    """Move a file that is written to its path, so that it survives a power cut."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.chmod(mode)  # mkstemp's 0600 would lock out readers that the umask lets in
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(path)
    _sync_folder(path.parent)


def write_folder(folder: Path, files: Mapping[str, Content]) -> None:
    """Write a folder whose name stands for its content, whole or not at all.

    A folder that exists is left alone, except for files that were changed or are gone.

    Args:
        folder: the folder.
        files: name -> content, or the path of a file that has it.

    Raises:
        UnavailableError: the disk is full, the folder may not be written, ...; nothing of it is visible.
    """
    if is_there(folder):
        for name, content in files.items():
            if not _is_same(folder / name, content):
                _write_content(folder / name, content)
        return

    def fill(temporary: Path) -> None:
        for name, content in files.items():
            _write_content(temporary / name, content)

    fill_folder(folder, fill)


def _is_same(path: Path, content: Content) -> bool:
    """Whether a file is there and has a content."""
    if isinstance(content, bytes):
        return read_if_there(path) == content
    return is_there(path) and hash_file(path) == hash_file(content)


def _write_content(path: Path, content: Content) -> None:
    if isinstance(content, bytes):
        write_bytes(path, content)
        return

    def fill(temporary: Path) -> Path:
        shutil.copyfile(content, temporary)
        return path

    write_file(path.parent, fill)


def fill_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into an empty folder, then rename it, in one step, to `folder`.

    Raises:
        UnavailableError: the disk is full, the folder may not be written, ...; nothing of it is visible.
    """
    mode = 0o777 & ~_read_umask()
    with _as_unavailable(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_folder(folder.parent) as temporary:
            fill(temporary)
            temporary.chmod(mode)  # mkdtemp's 0700 would lock out readers that the umask lets in
            try:
                temporary.rename(folder)
            except OSError:
                if not folder.exists():  # else another process wrote the same content first
                    raise
            _sync_folder(folder.parent)


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    """A new folder that no other process sweeps within; removed at the end unless it was renamed."""
    folder, handle = _make_folder(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _make_folder(parent: Path) -> tuple[Path, int]:
    """A new folder, and the handle that keeps other processes from sweeping it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=WRITING, dir=parent))
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # swept before it could be claimed
            continue
        if claim(folder, handle):
            return folder, handle
        os.close(handle)


@contextmanager
def _as_unavailable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise UnavailableError(describe_write_failure(path, e)) from e


def _read_umask() -> int:
    """The rights that this process withholds from its new files; reading it means setting it."""
    with UMASK_LOCK:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
