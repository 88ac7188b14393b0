"""The sections `engine` and `registry` of the settings: what this machine offers, and where MLflow is."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, field_validator

from leadscore.settings.limits import MOST_MEMORY_MB, MOST_THREADS
from leadscore.settings.sections import Frozen

SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql")
SCHEME = re.compile(r"([a-z][a-z0-9]*)(\+[a-z0-9_]+)?:", re.IGNORECASE)


def address_problem(address: str) -> str | None:
    """Why no MLflow server or database can be at an address, without what it may hold of secrets; or None."""
    begun = SCHEME.match(address)
    scheme = begun[1].lower() if begun else ""
    if scheme not in SCHEMES:
        start = (
            f"begins with {scheme + ':'!r}" if scheme and len(scheme) < 20 else "names no scheme"
        )
        return (
            f"{start}; it must begin with one of {', '.join(SCHEMES)}, like http://localhost:5000"
        )
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname
    except ValueError:
        return (
            "has no valid port: it is a number up to 65535. If a user name or password holds one of / ? # @ :, write "
            "it percent-encoded, such as %2F for /"
        )
    if scheme in {"http", "https"} and not host:
        return "names no host; write it like http://localhost:5000"
    return "has the port 0; it is a number from 1 to 65535" if port == 0 else None


class EngineSettings(Frozen):
    """What the SQL engine and the learner may use."""

    memory_limit_mb: int = Field(
        default=2048, ge=128, le=MOST_MEMORY_MB, description="above it the engine spills to disk"
    )
    threads: int = Field(
        default=2, ge=1, le=MOST_THREADS, description="used by the engine and the learner"
    )
    chunk_snapshots: int = Field(
        default=100_000, ge=1, le=100_000_000, description="snapshots joined to events at a time"
    )


class RegistrySettings(Frozen):
    """Where MLflow keeps runs and models."""

    tracking_uri: str | None = Field(
        default=None,
        description="MLflow's server or database; default: MLFLOW_TRACKING_URI, else SQLite in models_folder",
    )
    artifacts: str | None = Field(
        default=None,
        description="where a database's files are kept; default: artifacts in models_folder",
    )

    @field_validator("tracking_uri")
    @classmethod
    def _can_be_reached(cls, value: str | None) -> str | None:
        if value and (problem := address_problem(value)):
            raise ValueError(problem)
        if value and (urlsplit(value).password or "password" in parse_qs(urlsplit(value).query)):
            raise ValueError(
                "holds a password; leave it out here and set the environment variable MLFLOW_TRACKING_URI"
            )
        return value
