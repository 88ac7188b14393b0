"""Prefect as flows use it; the only file that imports it, because the environment must be set before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from guard import start_guard
from leadscore.cli.rendering import exit_with_words
from leadscore.errors import WITHHELD, UserError
from leadscore.proposals import keep_given
from leadscore.settings.environment import set_environment
from leadscore.settings.settings import read_settings
from options import read_options
from quiet import errors_in_words

set_environment(  # read when Prefect is imported; what the environment says already, stands
    PREFECT_HOME=str(Path(__file__).resolve().parents[1] / "data" / "prefect"),
    PREFECT_SERVER_EPHEMERAL_ENABLED="true",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="120",
)

from prefect import artifacts, flow, runtime, task  # noqa: E402
from prefect.cache_policies import NO_CACHE  # noqa: E402

__all__ = ["artifacts", "flow", "main", "once", "retried", "runtime"]


def once(job: Any) -> Any:
    """A task that is tried once; nothing is cached, since a job finds out itself what is done already."""
    return task(job, cache_policy=NO_CACHE)


def retried(job: Any) -> Any:
    """A task that waits and tries again, unless the user has something to mend; its job can be repeated."""
    waits = [2, 10, 60]  # seconds
    policy: Any = {"retries": 3, "retry_delay_seconds": waits, "cache_policy": NO_CACHE}
    return task(job, retry_condition_fn=_is_worth_another_try, **policy)


def _is_worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    return not isinstance(state.data, UserError)


def main(run: Callable[..., Any], draw: Callable[..., None], *, about: str | None) -> None:
    """Run a flow from the command line and draw what it returned; exit codes as those of `leadscore`."""
    chosen = read_options(about)
    keep_given(chosen["config"], data=chosen["data"], known_until=chosen["known_until"])
    with exit_with_words():
        read_settings(Path(chosen["config"]))  # what is wrong there is said without tracebacks
        start_guard()
        with errors_in_words():
            results = run(**chosen)
        draw(*results)
    if any(getattr(result, "withheld", None) for result in results):
        sys.exit(WITHHELD)
