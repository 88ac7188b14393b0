"""Environment variables, which are read and set in this file only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

SOURCE_URL = "LEADSCORE_SOURCE_URL"  # the address of the database that sources are read from
SERVICE_TOKEN = "LEADSCORE_TOKEN"  # noqa: S105  (the name of the variable) that requests to `leadscore serve` must carry
PREFECT_API = "http://127.0.0.1:4200/api"  # of the server that `make up` starts
BASE_URL = "LEADSCORE_BASE_URL"  # where the folders `data` and `models` can be read from elsewhere
DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # a machine may read what a command prints
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # it would show a token, and mix with JSON
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # the default of 7 keeps a user waiting for 4 minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",  # seconds; with the default of 120 a server that hangs keeps them for 8
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def set_environment(**more: str) -> None:
    """Set what Prefect and MLflow read from the environment, without overriding what is set.

    Nothing phones home, and no pickle is read.

    Args:
        more: further variables and their values.
    """
    for name, value in (DEFAULTS | more).items():
        os.environ.setdefault(name, value)


@contextmanager
def unchanged_environment() -> Iterator[None]:
    """Undo every change to the environment at the end.

    MLflow stores there what it is given, and would read it again.
    """
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def address_set(address: str | None) -> Iterator[None]:
    """Hold the address of a database in `SOURCE_URL` for a while; None leaves all as it is."""
    if address is None:
        yield
        return
    before = os.environ.get(SOURCE_URL)
    os.environ[SOURCE_URL] = address
    try:
        yield
    finally:
        os.environ.pop(SOURCE_URL, None)
        if before is not None:
            os.environ[SOURCE_URL] = before


def environment_tracking_uri() -> str | None:
    """MLflow's address as the environment states it, or None."""
    return os.environ.get("MLFLOW_TRACKING_URI")


def read_address(name: str) -> str | None:
    """The address of a database in the variable `name`, or None; it may hold a password."""
    return os.environ.get(name) or None


def keep_address(name: str, address: str) -> None:
    """Let the variable `name` hold the address of a database for the rest of this process."""
    os.environ[name] = address


def prefect_api() -> str:
    """The address of Prefect's API: what the environment says, else that of a server on this machine."""
    return os.environ.get("PREFECT_API_URL") or PREFECT_API


def read_base_url() -> str | None:
    """Where lists, reports and cards can be read from another machine, or None."""
    return os.environ.get(BASE_URL) or None


def read_service_token() -> str | None:
    """The token that requests to the service must carry, or None."""
    return os.environ.get(SERVICE_TOKEN) or None


def environment_with(**more: str) -> dict[str, str]:
    """The environment for a process to be started; what it must know stands over what is set already."""
    return DEFAULTS | dict(os.environ) | more
