"""One writer at a time, and leases for readers: locks that the system frees when their process dies.

They are `flock` locks of Linux and macOS. A library such as filelock would not do: readers share a
lease, also on files they may not write; temporary folders are locked, too; and a waiting process
names the one that it waits for.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer

from leadscore.errors import UnavailableError

WRITING = ".writing-"  # how the name of a file or folder begins until it is whole
SCRATCH = "leadscore-scratch-"
MARKER = ".leadscore"  # only a folder that holds it is ours to remove
PATIENCE_S = 2.0  # seconds before a waiting process says whom it waits for
logger = logging.getLogger(__name__)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time change `folder`; the others wait, and say for whom. Readers need no lock.

    What killed processes left half written is removed first.

    Raises:
        UnavailableError: the folder may not be written, ...
    """
    with hold(folder / ".lock"):
        sweep(folder)
        yield


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, made if needed, alone.

    Raises:
        UnavailableError: it can be neither made nor opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _open_lock(path)
    except OSError as e:
        raise UnavailableError(describe_write_failure(path.parent, e)) from e
    try:
        if not try_lock(handle):
            _wait(handle, path.parent)
        yield
    finally:
        os.close(handle)


def _open_lock(path: Path) -> int:
    """Open a lock file; one of another user, which may not be written, can be held as well."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY)


def describe_write_failure(path: Path, error: OSError) -> str:
    """That `path` could not be written, and why."""
    if isinstance(error, IsADirectoryError):
        return f"{error.filename2 or error.filename} is a folder; name a file in it"
    problem = error.strerror or str(error)
    return f"could not write in {path}: {problem}; what was there before is intact"


def _wait(handle: int, folder: Path) -> None:
    """Wait for a lock, and say for whom unless it is free soon."""

    def warn() -> None:
        logger.warning("%s is writing in %s; waiting", _name_holder(handle), folder)

    warning = Timer(PATIENCE_S, warn)
    warning.daemon = True
    warning.start()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    finally:
        warning.cancel()


def _name_holder(handle: int) -> str:
    """Who holds the lock; only Linux says which process it is."""
    inode = str(os.fstat(handle).st_ino)
    with suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            # number, kind, mode, access, pid, device:device:inode, start, end
            words = line.split()
            kind = words[1]
            pid = words[4]
            locked_inode = words[5].rpartition(":")[2]
            if kind == "FLOCK" and locked_inode == inode:
                return f"another leadscore process (pid {pid})"
    return "another leadscore process"


def try_lock(handle: int) -> bool:
    """Whether an open file could be locked; if so, it stays locked until it is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def lease(path: Path) -> Iterator[bool]:
    """Keep what the file `path` stands for from being pruned while it is read; False if it is gone.

    Any number of readers may hold one, also in a folder that they may not write.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield is_at(handle, path)
    finally:
        os.close(handle)


@contextmanager
def unread(path: Path) -> Iterator[bool]:
    """Keep new leases off `path`; False if somebody holds one, True also if the file is gone."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        yield not path.exists()
        return
    try:
        yield try_lock(handle)
    finally:
        os.close(handle)


def is_at(handle: int, path: Path) -> bool:
    """Whether `path` still names the open file."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def claim(path: Path, handle: int) -> bool:
    """Mark a new file or folder as being written by this process; False if another swept it before."""
    with suppress(OSError):  # a file system without locks is not swept either
        fcntl.flock(handle, fcntl.LOCK_EX)
    return is_at(handle, path)


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder of this process, removed at the end; those of killed processes go first."""
    for abandoned in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        remove_abandoned(abandoned, marker=abandoned / MARKER)
    folder, handle = _make_scratch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


@contextmanager
def writing_scratch() -> Iterator[None]:
    """What the disk of temporary files has no room for, in words.

    Raises:
        UnavailableError: the disk is full, ...
    """
    try:
        yield
    except OSError as e:
        folder = Path(tempfile.gettempdir())
        raise UnavailableError(describe_write_failure(folder, e)) from e


def _make_scratch() -> tuple[Path, int]:
    """A new temporary folder, and the handle of the marker that says it is in use."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
        handle = os.open(folder / MARKER, os.O_RDWR | os.O_CREAT, 0o600)
        if claim(folder / MARKER, handle):
            return folder, handle
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half written in `folder` and the folders in it."""
    for pattern in (f"{WRITING}*", f"*/{WRITING}*"):
        for path in list(folder.glob(pattern)):
            remove_abandoned(path, marker=path)


def remove_abandoned(path: Path, *, marker: Path) -> None:
    """Remove a file or folder unless a living process holds its marker."""
    try:
        handle = os.open(marker, os.O_RDONLY)
    except OSError:
        return
    try:
        if try_lock(handle):
            _remove(path)
    except OSError:  # of another user, or on a file system without locks
        return
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
