"""Ctrl-C: one line and exit code 130, whatever a library that was at work makes of it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from leadscore.cli.rendering import err

INTERRUPTED = 130


@contextmanager
def exit_when_interrupted() -> Iterator[None]:
    """End the process after Ctrl-C; DuckDB, Optuna and MLflow may have raised, or wrapped, anything because of it."""
    received: list[int] = []

    def note(number: int, _: Any) -> None:
        received.append(number)
        sys.unraisablehook = lambda _: None  # of threads and files that are torn down
        threading.excepthook = lambda _: None
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # which alone may choose handlers
        yield
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    except BaseException:
        if not received:
            raise
    finally:
        signal.signal(signal.SIGINT, before)
    if received:
        err.print("interrupted; run the same command again to complete it")
        sys.exit(INTERRUPTED)
