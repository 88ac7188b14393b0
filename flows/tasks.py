"""The tasks that flows are made of, a job each. They exchange paths and small values, never frames."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leadscore import project as jobs
from leadscore.registry.registry import Who
from leadscore.settings.settings import Settings, read_settings
from leadscore.times import parse_asked, parse_moment, to_us
from local import once, retried, runtime


def _settings(config: str, data: str | None = None) -> Settings:
    return read_settings(Path(config), input_folder=Path(data) if data else None)


def _clock_us(settings: Settings, clock: str | None) -> int:
    return (
        to_us(datetime.now(UTC)) if clock is None else parse_moment(clock, zone=settings.timezone)
    )


def _asked_us(config: str, moment: str | None, clock: str | None) -> int | None:
    settings = _settings(config)
    return parse_asked(moment, zone=settings.timezone, clock_us=_clock_us(settings, clock))


@retried
def ingest(
    config: str, data: str | None, known_until: str | None, clock: str | None
) -> dict[str, Any]:
    """Read the exports into the store."""
    settings = _settings(config, data)
    asked_us, clock_us = _asked_us(config, known_until, clock), _clock_us(settings, clock)
    return jobs.ingest(settings, known_until_us=asked_us, clock_us=clock_us)


@once
def train(config: str, as_of: str | None, clock: str | None) -> dict[str, Any]:
    """Train, judge, and keep model and card as files."""
    return jobs.train(_settings(config), as_of_us=_asked_us(config, as_of, clock))


@retried
def register(config: str, folder: str) -> dict[str, Any]:
    """Log the training in a folder with MLflow."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return jobs.register(
        _settings(config), Path(folder), who=Who(f"flow run {runtime.flow_run.name}", at, "trained")
    )


@once
def score(config: str, as_of: str | None, clock: str | None) -> dict[str, Any]:
    """Score the open leads with the champion, without publishing them."""
    return jobs.score(_settings(config), as_of_us=_asked_us(config, as_of, clock))


@retried
def publish(config: str, publication_id: str) -> dict[str, Any]:
    """Make the scores the current list."""
    return jobs.publish(_settings(config), publication_id)
