"""The tasks that flows are made of, a job each. They exchange paths and small values, never frames."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leadscore import jobs
from leadscore.config import Settings, read_settings
from leadscore.model.registry import Who
from leadscore.times import parse_moment, to_us
from local import once, retried, runtime


def _settings(config: str, data: str | None = None) -> Settings:
    return read_settings(Path(config), input_folder=Path(data) if data else None)


def _as_of_us(settings: Settings, as_of: str | None) -> int | None:
    """The moment to look from: None for known_until, "now" for the clock, as schedules say."""
    if as_of == "now":
        return to_us(datetime.now(UTC))
    return None if as_of is None else parse_moment(as_of, zone=settings.timezone)


@retried
def ingest(config: str, data: str | None) -> dict[str, Any]:
    """Read the exports into the store."""
    return jobs.ingest(_settings(config, data))


@once
def train(config: str, as_of: str | None) -> dict[str, Any]:
    """Train, judge, and keep model and card as files."""
    settings = _settings(config)
    return jobs.train(settings, as_of_us=_as_of_us(settings, as_of))


@retried
def register(config: str, folder: str) -> dict[str, Any]:
    """Log the training in a folder with MLflow."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return jobs.register(_settings(config), Path(folder), who=Who(f"flow run {runtime.flow_run.name}", at, "trained"))


@once
def score(config: str, as_of: str | None) -> dict[str, Any]:
    """Score the open leads with the champion, into files that nobody is led to yet."""
    settings = _settings(config)
    return jobs.score(settings, as_of_us=_as_of_us(settings, as_of))


@retried
def publish(config: str, publication_id: str) -> dict[str, Any]:
    """Lead readers to the scores."""
    return jobs.publish(_settings(config), publication_id)
