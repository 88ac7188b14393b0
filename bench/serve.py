"""How long one lead takes over HTTP: `python bench/serve.py [CONFIG]`, by default on a new sample.

The service runs as users start it. Open leads are posted under new ids, with all their facts, at a
steady pace whatever the answers take; a wait counts from the moment at which its request was due.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np

from leadscore.history.split import History
from leadscore.ingest.posted import posted_columns
from leadscore.project.opened import open_store
from leadscore.settings.fields import LeadField
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import format_us
from sample_project import build_sample, train_champion

LEADS, SEED = 5_000, 1
PER_SECOND, SECONDS = 10, 60
ASKED = 200  # different leads
READY_WITHIN_S = 300
TABLES = ("leads", "changes", "activities", "stages")


def main() -> None:
    """Print percentiles of the wait, errors, the processor time of an answer, and the load."""
    if len(sys.argv) > 1:
        measure(read_settings(Path(sys.argv[1])), Path(sys.argv[1]), Path.cwd())
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        settings = build_sample(folder, leads=LEADS, seed=SEED)
        train_champion(settings, by="serve.py")
        measure(settings, folder / "crm" / "leadscore.toml", folder)


def measure(settings: Settings, config: Path, folder: Path) -> None:
    """Serve a project from a folder, and ask."""
    with open_store(settings) as history:
        as_of = format_us(history.version.known_until_us)
        questions = build_questions(history)
    load = os.getloadavg()[0]
    with serving(config, folder, as_of) as (port, process):
        before_s = read_cpu_s(process)
        answers = ask_all(port, questions)
        cpu_ms = 1000 * (read_cpu_s(process) - before_s) / len(answers)
    waits = np.array([wait_s for _, wait_s in answers]) * 1000
    failed = sum(status != 200 for status, _ in answers)
    p50, p90, p99 = np.percentile(waits, [50, 90, 99])
    print(
        f"{len(answers):,} leads posted at {PER_SECOND} a second: p50 {p50:.0f} ms, p90 {p90:.0f} ms, "
        f"p99 {p99:.0f} ms, longest {waits.max():.0f} ms; {failed} not answered with 200; "
        f"{cpu_ms:.0f} ms of processor time each, on {os.cpu_count()} cores with a load of "
        f"{load:.1f} before"
    )


def build_questions(history: History) -> list[bytes]:
    """Open leads with all their facts, as requests under new ids."""
    until_us = history.version.known_until_us
    lead_ids = history.open_list(until_us)["lead_id"].tolist()[:ASKED]
    return [_build_question(history, lead_id) for lead_id in lead_ids]


def _build_question(history: History, lead_id: str) -> bytes:
    question: dict[str, Any] = {"lead_id": f"{lead_id}-posted"}
    for table in TABLES:
        rows = history.engine.query(f"SELECT * FROM {table} WHERE lead_id = '{lead_id}'")
        known = posted_columns(table, history.settings)
        stated = [_state(row, known, history.settings) for row in rows.to_pylist()]
        question |= {"lead": stated[0]} if table == "leads" else {table: stated}
    return json.dumps(question).encode()


def _state(row: Mapping[str, Any], known: list[str], settings: Settings) -> dict[str, Any]:
    """A stored row as somebody states it: units instead of minor units, and times as text."""
    fields = settings.lead_fields()
    stated = {
        name: _in_units(value, fields.get(name))
        for name, value in row.items()
        if name in known and name != "lead_id" and value is not None
    }
    if "field" in row:
        stated["value"] = _in_units(row["value"], fields.get(row["field"]))
    stated["event_at"] = format_us(row["event_us"])
    if row["available_us"] != row["event_us"]:
        stated["available_at"] = format_us(row["available_us"])
    return stated


def _in_units(value: Any, field: LeadField | None) -> Any:
    if value is None or field is None or field.type == "text":
        return value
    if field.type == "date":
        return format_us(int(value))
    return int(value) / 10**field.decimals


@contextmanager
def serving(config: Path, folder: Path, as_of: str) -> Iterator[tuple[int, int]]:
    """The port of a service that is ready, and its process id; it ends afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "leadscore", "serve", "--config", str(config)]
    command += ["--port", str(port), "--as-of", as_of, "--rate", "1000"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:  # noqa: S603  (ours)
        try:
            _wait_until_ready(port)
            yield port, process.pid
        finally:
            process.terminate()


def _wait_until_ready(port: int) -> None:
    end_s = monotonic() + READY_WITHIN_S
    while monotonic() < end_s:
        try:
            if ask(port, "GET", "/ready") == 200:
                return
        except (OSError, HTTPException):
            pass
        sleep(0.5)
    raise TimeoutError("the service is not ready")


def ask(port: int, method: str, path: str, body: bytes | None = None) -> int:
    """The status of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def ask_all(port: int, questions: list[bytes]) -> list[tuple[int, float]]:
    """Status and wait in seconds of each request, sent when it is due."""
    begin_s = monotonic()

    def ask_when_due(at: int) -> tuple[int, float]:
        due_s = begin_s + at / PER_SECOND
        sleep(max(due_s - monotonic(), 0))
        status = ask(port, "POST", "/score", questions[at % len(questions)])
        return status, monotonic() - due_s

    with ThreadPoolExecutor(8 * PER_SECOND) as threads:
        return list(threads.map(ask_when_due, range(PER_SECOND * SECONDS)))


def read_cpu_s(process: int) -> float:
    """The processor time that a process has used, in seconds."""
    stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
