"""When the flows run next: as a Prefect server says, asked over HTTP so that Prefect need not be loaded."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

from leadscore.errors import UnavailableError
from leadscore.results import NextRun

TAG = "leadscore"  # of the deployments in prefect.yaml
PATIENCE_S = 3
MOST_RUNS = 200  # the server's own limit


def ask_next_runs(api: str) -> list[NextRun]:
    """The next scheduled run of each of our deployments, the soonest first.

    Args:
        api: the address of a Prefect server's API, http or https.

    Raises:
        UnavailableError: no server answers, or not as Prefect does.
    """
    try:
        soonest = _find_soonest(api)
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise UnavailableError("no Prefect server answers") from e
    return [NextRun(deployment=name, at=at) for name, at in soonest.items()]


def _find_soonest(api: str) -> dict[str, str]:
    """When each deployment runs next, by name, the soonest first."""
    is_ours = {"tags": {"all_": [TAG]}}
    is_scheduled = {"state": {"type": {"any_": ["SCHEDULED"]}}}
    deployments = _ask(api, "deployments", {"deployments": is_ours})
    runs = _ask(
        api,
        "flow_runs",
        {
            "flow_runs": is_scheduled | is_ours,
            "sort": "EXPECTED_START_TIME_ASC",
            "limit": MOST_RUNS,
        },
    )
    names = {deployment["id"]: deployment["name"] for deployment in deployments}
    soonest: dict[str, str] = {}
    for run in runs:
        name = names.get(run["deployment_id"])
        if name is not None:
            soonest.setdefault(name, run["expected_start_time"])
    return soonest


def _ask(api: str, kind: str, question: dict[str, Any]) -> list[dict[str, Any]]:
    body = json.dumps(question).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"{api}/{kind}/filter", body, headers)  # noqa: S310  (checked by the caller)
    with urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
        rows: list[dict[str, Any]] = json.load(answer)
    return rows
