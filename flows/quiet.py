"""Errors of flows in our words alone: Prefect logs a traceback for each, and has its own for a server that is away."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from leadscore.errors import LeadscoreError, UserError
from pages import is_unreachable

LOGGERS = ("prefect", "prefect.flow_runs", "prefect.task_runs")


class ServerDownError(UserError):
    """A Prefect server that cannot be reached."""

    def __init__(self, problem: str) -> None:
        cure = "start it with `prefect server start`, or unset PREFECT_API_URL, and the flow starts one of its own"
        super().__init__(
            f"Prefect's server cannot be reached: {problem}; steps that ended stand; {cure}"
        )


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Keep tracebacks of our own errors out of the log, and say in words that there is no server."""
    for name in LOGGERS:
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(_without_traceback)
    try:
        yield
    except Exception as e:
        # else DuckDB's connection outlives its library, which says so at length
        traceback.clear_frames(e.__traceback__)
        if isinstance(e, LeadscoreError) or not is_unreachable(e):
            raise
        raise ServerDownError(str(e)) from None


def _without_traceback(record: logging.LogRecord) -> bool:
    """Whether to log a record: always, but an error of ours, or no connection, in one line."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    is_plain = isinstance(error, LeadscoreError | ConnectionError)
    if error is not None and (is_plain or is_unreachable(error)):
        record.msg, record.args = f"{type(error).__name__}: {error}", ()
        record.exc_info = record.exc_text = None
    return True
