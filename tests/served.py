"""What tests of the service begin with: stored facts as somebody states them, and servers."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread
from time import monotonic
from typing import Any

from builders import Facts
from leadscore.serve.run import build_server
from leadscore.settings.settings import Settings
from leadscore.times import format_us

TABLES = ("leads", "changes", "activities", "stages", "outcomes")
WITHIN_S = 120


def without(facts: Facts, lead_ids: set[str], settings: Settings) -> Facts:
    """The facts of all other leads."""
    rest = Facts(settings)
    for table, rows in facts.rows.items():
        rest.rows[table] = [row for row in rows if row["lead_id"] not in lead_ids]
    return rest


def as_posted(facts: Facts, lead_id: str) -> dict[str, list[dict[str, Any]]]:
    """The stored rows of a lead as somebody states them, whose numbers have no decimals."""
    posted: dict[str, list[dict[str, Any]]] = {}
    for table in TABLES:
        of_lead = [row for row in facts.rows[table] if row["lead_id"] == lead_id]
        posted[table] = [_state(row) for row in of_lead]
    return posted


def _state(row: dict[str, Any]) -> dict[str, Any]:
    stated = {name: value for name, value in row.items() if not name.endswith("_us")}
    del stated["lead_id"]
    times = {
        "event_at": format_us(row["event_us"]),
        "available_at": format_us(row["available_us"]),
    }
    return stated | times


def as_question(facts: Facts, lead_id: str, *, named: str | None = None) -> dict[str, Any]:
    """The same as a request."""
    posted = as_posted(facts, lead_id)
    (lead,) = posted.pop("leads")
    return {"lead_id": named or lead_id, "lead": lead, **posted}


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """The port of a service that runs in a thread until the end of the block."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        server = build_server(app)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield port
        finally:
            server.should_exit = True
            thread.join()


def wait_until(is_so: Any) -> None:
    """Wait for what another thread does; fails after two minutes."""
    end_s = monotonic() + WITHIN_S
    while not is_so():
        assert monotonic() < end_s, "it did not happen"


def ask(
    port: int, path: str, body: Any = None, *, method: str | None = None, **headers: str
) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method or ("GET" if body is None else "POST"), path, data, named)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    is_json = answer.getheader("content-type") == "application/json"
    return answer.status, json.loads(text) if is_json else text.decode()
