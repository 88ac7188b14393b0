"""A Prefect server, a worker for its schedules and MLflow's pages, all on this machine alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from leadscore.errors import UserError
from leadscore.settings.environment import environment_with
from leadscore.settings.read import read_settings
from services import FOLDER, start, stop, wait_for

HOST = "127.0.0.1"
PREFECT = ("prefect", "--no-prompt")
POOL = "leadscore"


def start_stack(config: Path, *, prefect_port: int, mlflow_port: int) -> dict[str, str]:
    """Start all three and schedule the flows of prefect.yaml; the addresses by name."""
    tracking_uri = read_settings(config).tracking_uri()
    server = f"http://{HOST}:{prefect_port}"
    api = f"{server}/api"
    home = str(FOLDER.parent.resolve())
    at = {"PREFECT_HOME": home, "PREFECT_API_URL": api, "LEADSCORE_CONFIG": str(config.resolve())}

    port = str(prefect_port)
    process = start("server", *PREFECT, "server", "start", "--host", HOST, "--port", port, **at)
    wait_for(f"{api}/health", process)
    _apply("-m", *PREFECT, "work-pool", "create", POOL, "--type", "process", "--overwrite", **at)
    _apply("-m", *PREFECT, "deploy", "--all", **at)
    _apply(str(Path(__file__).with_name("automations.py")), **at)
    start("worker", *PREFECT, "worker", "start", "--pool", POOL, "--limit", "1", **at)
    if tracking_uri.startswith("http"):
        return {"Prefect": server, "MLflow": tracking_uri}

    mlflow = f"http://{HOST}:{mlflow_port}"
    words = ("mlflow", "server", "--host", HOST, "--port", str(mlflow_port))
    process = start("mlflow", *words, MLFLOW_BACKEND_STORE_URI=tracking_uri)
    wait_for(f"{mlflow}/health", process)
    return {"Prefect": server, "MLflow": mlflow}


def stop_stack() -> list[str]:
    """End what `start_stack` has started, the worker before its server; the names of what was there."""
    pid_files = sorted(FOLDER.glob("*.pid"), reverse=True)
    for pid_file in pid_files:
        stop(pid_file)
    return [pid_file.stem for pid_file in pid_files]


def _apply(*words: str, **variables: str) -> None:
    """Run a Python command; what it printed is shown only if it failed."""
    command = [sys.executable, *words]
    env = environment_with(**variables)
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise UserError(f"`python {' '.join(words)}` failed: {done.stdout}{done.stderr}")
