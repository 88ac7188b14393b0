"""The tasks from a champion to lists for people and CRMs, a method of `Project` each."""

from __future__ import annotations

from leadscore import Project
from leadscore.errors import UnavailableError
from leadscore.results import (
    Deliveries,
    Forecast,
    Published,
    Reported,
    Scored,
    WrittenWorkbook,
)
from local import once, retried
from moments import moment_us_of


@once
def score(config: str, as_of: str | None, clock: str | None) -> Scored:
    """Score the open leads with the champion, without publishing them."""
    project = Project(config)
    return project.score(as_of=moment_us_of(project, as_of, clock))


@retried
def publish(config: str, publication_id: str) -> Published:
    """Make the scores the current list."""
    return Project(config).publish(publication_id)


@retried
def deliver(config: str) -> Deliveries:
    """Write the current list for the CRMs and databases of the settings."""
    delivered = Project(config).deliver()
    for target in delivered.failed:
        raise UnavailableError(f"targets.{target.target}: {target.problem}")
    return delivered


@retried
def publish_forecast(config: str) -> Forecast | None:
    """Keep the forecast of this month and the next two, to stand beside what comes."""
    return Project(config).publish_usual_forecast()


@once
def report(config: str, publication_id: str) -> Reported:
    """Write the list as a page for people."""
    return Project(config).report(publication_id)


@retried
def worklist(config: str) -> WrittenWorkbook:
    """Write the current list as a workbook for people; only its path is handed on."""
    return Project(config).workbook()
