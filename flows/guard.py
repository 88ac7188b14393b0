"""Ends what a flow has started, such as Prefect's server, however the flow ends: on Linux even if it is killed."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from threading import Thread
from typing import Any

from leadscore.settings.environment import set_environment
from marks import end_marked

PREFIX = "LEADSCORE_FLOW_"  # and the process: a variable that whatever a flow starts inherits


def start_guard() -> None:
    """End at once with Ctrl-C, and start a process that waits for the end of this one.

    It notices because the system then closes the pipe between them.
    """
    signal.signal(signal.SIGINT, _stop)
    mark = f"{PREFIX}{os.getpid()}"
    set_environment(**{mark: "1"})
    reading, _ = (
        os.pipe()
    )  # this process keeps the other end, and nothing that it starts inherits it
    words = [sys.executable, __file__, mark]
    nowhere = subprocess.DEVNULL
    # in a session of its own Ctrl-C does not reach it
    subprocess.Popen(words, stdin=reading, stdout=nowhere, stderr=nowhere, start_new_session=True)  # noqa: S603
    os.close(reading)


def _stop(*_: Any) -> None:
    """End at once: the server that Prefect started got Ctrl-C too, and a flow would wait for it for minutes."""
    (
        stopping := Thread(target=atexit._run_exitfuncs, daemon=True)
    ).start()  # stops it, and may wait to send it logs
    stopping.join(timeout=10)
    os._exit(130)


if __name__ == "__main__":
    sys.stdin.read()
    end_marked(sys.argv[1])
