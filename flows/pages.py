"""Prefect's pages of a run, which the work itself does not need."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

logger = logging.getLogger("leadscore.pages")
SERVER = ("httpx", "httpcore", "prefect")  # whose errors say that the server cannot be reached


def page(show: Callable[..., None]) -> Callable[..., None]:
    """The same for Prefect's pages; where there is no server to show them, the run goes on without."""

    @wraps(show)
    def show_if_possible(*args: Any, **more: Any) -> None:
        try:
            show(*args, **more)
        except Exception as e:
            if not is_unreachable(e):
                raise
            logger.warning("Prefect's server cannot be reached, so its pages lack a part: %s", e)

    return show_if_possible


def is_unreachable(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that no connection came about."""
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__module__.partition(".")[0] in SERVER and "Connect" in type(seen).__name__:
            return True
        seen = seen.__cause__ or seen.__context__
    return "Failed to reach API" in str(error)
