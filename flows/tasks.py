"""The tasks that flows are made of, a method of `Project` each. They exchange small results, never frames."""

from __future__ import annotations

from datetime import UTC, datetime

from leadscore import Project
from leadscore.results import Ingested, Published, Registered, Scored, Trained
from leadscore.times import parse_asked, parse_moment, to_us
from local import once, retried, runtime


def _clock_us(project: Project, clock: str | None) -> int:
    if clock is None:
        return to_us(datetime.now(UTC))
    return parse_moment(clock, zone=project.settings.timezone)


def _moment_us(project: Project, moment: str | None, clock: str | None) -> int | None:
    zone = project.settings.timezone
    return parse_asked(moment, zone=zone, clock_us=_clock_us(project, clock))


@retried
def ingest(config: str, data: str | None, known_until: str | None, clock: str | None) -> Ingested:
    """Read the exports into the store."""
    project = Project(config, data=data)
    known_until_us = _moment_us(project, known_until, clock)
    return project.ingest(known_until=known_until_us, clock=_clock_us(project, clock))


@once
def train(config: str, as_of: str | None, clock: str | None) -> Trained:
    """Train, evaluate, and write model and card."""
    project = Project(config)
    return project.train(as_of=_moment_us(project, as_of, clock))


@retried
def register(config: str, trained: Trained) -> Registered:
    """Log the training with MLflow."""
    by = f"flow run {runtime.flow_run.name}"
    return Project(config).register(trained, by=by, at=datetime.now(UTC))


@once
def score(config: str, as_of: str | None, clock: str | None) -> Scored:
    """Score the open leads with the champion, without publishing them."""
    project = Project(config)
    return project.score(as_of=_moment_us(project, as_of, clock))


@retried
def publish(config: str, publication_id: str) -> Published:
    """Make the scores the current list."""
    return Project(config).publish(publication_id)
