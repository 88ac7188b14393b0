"""Jobs that the audit trail ascribes to their flow run, and whose end is a line in its log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from time import perf_counter
from typing import Any

from leadscore.project.trail import acting
from steps import log_step


def recorded(job: Any, name_run: Callable[[], str]) -> Any:
    """The same job; `name_run` says which flow run it belongs to."""

    @wraps(job)
    def run(*args: Any, **more: Any) -> Any:
        who = name_run()
        started = perf_counter()
        with acting(who, now):
            result = job(*args, **more)
        log_step(job.__name__, who, result, seconds=perf_counter() - started)
        return result

    return run


def now() -> str:
    """The moment as the logs write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
