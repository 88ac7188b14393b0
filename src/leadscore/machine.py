"""The sections `engine` and `registry` of the settings: what this machine offers, and where MLflow is."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from pydantic import Field, field_validator

from leadscore.limits import MOST_MEMORY_MB, MOST_THREADS
from leadscore.sections import Frozen


class EngineSettings(Frozen):
    """What the SQL engine and the learner may use."""

    memory_limit_mb: int = Field(
        default=2048, ge=128, le=MOST_MEMORY_MB, description="above it the engine spills to disk"
    )
    threads: int = Field(default=2, ge=1, le=MOST_THREADS, description="used by the engine and the learner")
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
        default=None, description="where a database's files are kept; default: artifacts in models_folder"
    )

    @field_validator("tracking_uri")
    @classmethod
    def _no_password(cls, value: str | None) -> str | None:
        if value and (urlsplit(value).password or "password" in parse_qs(urlsplit(value).query)):
            raise ValueError("holds a password; leave it out here and set the environment variable MLFLOW_TRACKING_URI")
        return value
