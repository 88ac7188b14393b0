"""Processes that outlive the command that starts them; each is marked, so that no other one is ever ended."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

from leadscore.errors import UserError
from leadscore.settings.environment import environment_with
from marks import end_marked, is_marked

FOLDER = Path("data/prefect/services")
PATIENCE = 180  # seconds until a service answers
GRACE = 30  # seconds to end by itself
Process = subprocess.Popen[bytes]


def start(name: str, *words: str, **variables: str) -> Process:
    """Start a Python module; its output goes to <name>.log, its id and mark to <name>.pid."""
    mark = f"LEADSCORE_SERVICE_{name.upper()}_{os.getpid()}"
    with (FOLDER / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *words],
            env=environment_with(**variables, **{mark: "1"}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (FOLDER / f"{name}.pid").write_text(f"{process.pid} {mark}")
    return process


def wait_for(url: str, process: Process) -> None:
    """Return once an address answers; an error says where the logs are."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urlopen(url, timeout=5):  # noqa: S310
            return
        time.sleep(0.5)
    raise UserError(f"{url} does not answer; see the logs in {FOLDER}")


def stop(pid_file: Path) -> None:
    """End a process and all that it has started; a process that merely got the same id is left alone."""
    pid, mark = pid_file.read_text().split()
    if is_marked(int(pid), mark):
        handle = os.pidfd_open(int(pid))
        os.kill(int(pid), signal.SIGTERM)
        select.select([handle], [], [], GRACE)  # readable once it has ended
        os.close(handle)
    end_marked(mark)
    pid_file.unlink()
