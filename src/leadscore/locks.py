"""One writer at a time, and leases for readers: locks that the system frees when their process dies."""

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

from leadscore.errors import WriteError

WRITING = ".writing-"  # how a file or folder is called until it is whole
SCRATCH, MARKER = (
    "leadscore-scratch-",
    ".leadscore",
)  # only a folder that holds the marker is ours to remove
PATIENCE_S = 2.0  # seconds that a lock may be held before a waiting process says so
logger = logging.getLogger(__name__)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time changes `folder`; others say whom they wait for. Readers need no lock.

    What killed processes left half written in it is removed first.

    Raises:
        WriteError: the folder may not be written, ...
    """
    with hold(folder / ".lock"):
        sweep(folder)
        yield


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, made if needed, alone.

    Raises:
        WriteError: it can be neither made nor opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _open_lock(path)
    except OSError as e:
        raise WriteError(path.parent, e.strerror or str(e)) from e
    try:
        if not try_lock(handle):
            _wait(handle, path.parent)
        yield
    finally:
        os.close(handle)


def _wait(handle: int, folder: Path) -> None:
    """Wait for a lock, and say for whom unless it is soon free."""

    def warn() -> None:
        logger.warning("%s is writing in %s; waiting", _name_holder(handle), folder)

    warning = Timer(PATIENCE_S, warn)
    warning.daemon = True
    warning.start()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    finally:
        warning.cancel()


def _open_lock(path: Path) -> int:
    """A lock file that another user made can be held too, though not written."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY)


def _name_holder(handle: int) -> str:
    """Who holds the lock; systems other than Linux do not say which process it is."""
    inode = str(os.fstat(handle).st_ino)
    with suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5].rpartition(":")[2] == inode:
                return f"another leadscore process (pid {words[4]})"
    return "another leadscore process"


def try_lock(handle: int) -> bool:
    """Whether nobody else holds the open file, which then is held until it is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def lease(path: Path) -> Iterator[bool]:
    """Keep what the file `path` stands for from being pruned while it is read; False if the file is gone.

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
    """Hold `path` against new leases; False if somebody reads it, True also if it is gone."""
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
    """Whether the open file is the one that `path` now names."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def claim(path: Path, handle: int) -> bool:
    """Mark a new file or folder as being written by this process; False if another has swept it in between."""
    with suppress(OSError):  # a file system without locks is not swept either
        fcntl.flock(handle, fcntl.LOCK_EX)
    return is_at(handle, path)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half written in `folder` and the folders in it."""
    for left in [*folder.glob(f"{WRITING}*"), *folder.glob(f"*/{WRITING}*")]:
        remove_abandoned(left, marker=left)


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder of this process, removed at the end; those of processes that were killed go first."""
    for left in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        remove_abandoned(left, marker=left / MARKER)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
        handle = os.open(folder / MARKER, os.O_RDWR | os.O_CREAT, 0o600)
        if claim(folder / MARKER, handle):
            break
        os.close(handle)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def remove_abandoned(path: Path, *, marker: Path) -> None:
    """Remove a file or folder unless a living process holds its marker."""
    try:
        handle = os.open(marker, os.O_RDONLY)
    except OSError:
        return
    try:
        if not try_lock(handle):
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except OSError:  # of another user, or on a file system without locks
        return
    finally:
        os.close(handle)
