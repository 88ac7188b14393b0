"""The section `registry`: where MLflow is."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, field_validator

from leadscore.settings.base import Frozen

SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql")
SCHEME = re.compile(r"([a-z][a-z0-9]*)(\+[a-z0-9_]+)?:", re.IGNORECASE)
LONGEST_SHOWN = 20  # characters of a scheme; a longer one may be a secret


def address_problem(address: str) -> str | None:
    """Why neither an MLflow server nor a database can be at an address, or None.

    The text repeats no part of the address that may be secret.
    """
    match = SCHEME.match(address)
    scheme = match[1].lower() if match else ""
    if scheme not in SCHEMES:
        is_shown = scheme and len(scheme) < LONGEST_SHOWN
        start = f"begins with {scheme + ':'!r}" if is_shown else "names no scheme"
        known = ", ".join(SCHEMES)
        return f"{start}; it must begin with one of {known}, like http://localhost:5000"
    try:
        parts = urlsplit(address)
        port = parts.port
        host = parts.hostname
    except ValueError:
        return (
            "has no valid port: it is a number up to 65535. If a user name or password holds one "
            "of / ? # @ :, write it percent-encoded, such as %2F for /"
        )
    if scheme in {"http", "https"} and not host:
        return "names no host; write it like http://localhost:5000"
    return "has the port 0; it is a number from 1 to 65535" if port == 0 else None


def _holds_password(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.password) or "password" in parse_qs(parts.query)


class RegistrySettings(Frozen):
    """Where MLflow keeps runs and models."""

    tracking_uri: str | None = Field(
        default=None,
        description="MLflow's server or database, without a password; default: the environment "
        "variable `MLFLOW_TRACKING_URI`, else SQLite in `models_folder`",
    )
    artifacts: str | None = Field(
        default=None,
        description="where MLflow keeps files if `tracking_uri` is a database; "
        "default: `artifacts` in `models_folder`",
    )

    @field_validator("tracking_uri")
    @classmethod
    def _can_be_reached(cls, value: str | None) -> str | None:
        if not value:
            return value
        if problem := address_problem(value):
            raise ValueError(problem)
        if _holds_password(value):
            raise ValueError(
                "holds a password; leave it out here and set the environment variable "
                "MLFLOW_TRACKING_URI"
            )
        return value
