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
        names = {
            deployment["id"]: deployment["name"]
            for deployment in _ask(api, "deployments", {"deployments": {"tags": {"all_": [TAG]}}})
        }
        scheduled = {"state": {"type": {"any_": ["SCHEDULED"]}}, "tags": {"all_": [TAG]}}
        question = {"flow_runs": scheduled, "sort": "EXPECTED_START_TIME_ASC", "limit": MOST_RUNS}
        soonest: dict[str, str] = {}
        for run in _ask(api, "flow_runs", question):
            if run["deployment_id"] in names:
                soonest.setdefault(names[run["deployment_id"]], run["expected_start_time"])
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise UnavailableError("no Prefect server answers") from e
    return [NextRun(deployment=name, at=at) for name, at in soonest.items()]


def _ask(api: str, kind: str, question: dict[str, Any]) -> list[dict[str, Any]]:
    body = json.dumps(question).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"{api}/{kind}/filter", body, headers)  # noqa: S310  (checked by the caller)
    with urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
        rows: list[dict[str, Any]] = json.load(answer)
    return rows
