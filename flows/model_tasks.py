"""The tasks from exports to a registered model, a method of `Project` each; they exchange results, never frames."""

from __future__ import annotations

from datetime import UTC, datetime

from alarms import alarms_announced
from blocks import load_secret
from ingest_pages import show_ingest
from leadscore import Project
from leadscore.results import Ingested, Registered, Trained
from leadscore.settings.environment import address_set
from local import flow_run_name, once, retried
from moments import clock_us_of, moment_us_of


@retried
def ingest(
    config: str,
    data: str | None,
    known_until: str | None,
    clock: str | None,
    *,
    url_block: str | None = None,
) -> Ingested:
    """Read the exports into the store; a block's address is loaded here, and stays here."""
    project = Project(config, data=data)
    known_until_us = moment_us_of(project, known_until, clock)
    with address_set(load_secret(url_block)), alarms_announced(project):
        ingested = project.ingest(known_until=known_until_us, clock=clock_us_of(project, clock))
    show_ingest(ingested)
    return ingested


@once
def train(config: str, as_of: str | None, clock: str | None) -> Trained:
    """Train, evaluate, and write model and card."""
    project = Project(config)
    return project.train(as_of=moment_us_of(project, as_of, clock))


@retried
def register(config: str, trained: Trained) -> Registered:
    """Log the training with MLflow."""
    return Project(config).register(trained, by=flow_run_name(), at=datetime.now(UTC))
