"""Prefect as flows use it; the only file that imports it, because the environment must be set before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leadscore.errors import UserError
from leadscore.settings.environment import set_environment
from recorded import recorded

set_environment(  # read when Prefect is imported; what the environment says already, stands
    PREFECT_HOME=str(Path(__file__).resolve().parents[1] / "data" / "prefect"),
    PREFECT_LOGGING_EXTRA_LOGGERS="leadscore",  # its lines and warnings reach the run's log
    PREFECT_SERVER_EPHEMERAL_ENABLED="true",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="120",
)

from prefect import artifacts, flow, runtime, task  # noqa: E402
from prefect import events as prefect_events  # noqa: E402
from prefect.blocks.system import Secret  # noqa: E402
from prefect.cache_policies import NO_CACHE  # noqa: E402
from prefect.client.orchestration import get_client  # noqa: E402
from prefect.client.schemas.objects import StateType  # noqa: E402

__all__ = [
    "HOUR",
    "Secret",
    "StateType",
    "artifacts",
    "flow",
    "get_client",
    "once",
    "prefect_events",
    "retried",
]

HOUR = 3600  # seconds, for the time after which a flow that hangs is ended


def flow_run_name() -> str:
    """Who acts, where a flow does."""
    return f"flow run {runtime.flow_run.name}"


def once(job: Any) -> Any:
    """A task that is tried once; nothing is cached, since a job finds out itself what is done already."""
    return task(recorded(job, flow_run_name), cache_policy=NO_CACHE)


def retried(job: Any) -> Any:
    """A task that waits and tries again, unless the user has something to mend; its job can be repeated."""
    waits = [2, 10, 60]  # seconds
    policy: Any = {"retries": 3, "retry_delay_seconds": waits, "cache_policy": NO_CACHE}
    return task(recorded(job, flow_run_name), retry_condition_fn=_is_worth_another_try, **policy)


def _is_worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    return not isinstance(state.data, UserError)
