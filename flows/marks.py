"""Processes known by a variable of their environment, which whatever they start inherits."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def is_marked(pid: int, mark: str) -> bool:
    """Whether a process runs and has the variable."""
    with suppress(OSError):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        return f"\0{mark}=".encode() in b"\0" + environment
    return False


def end_marked(mark: str) -> None:
    """Kill every process of this user that has the variable, but for this one."""
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        if pid != os.getpid() and is_marked(pid, mark):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
