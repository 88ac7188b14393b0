"""Alarms as events and on Prefect's pages: of a delivery that is held back, and of drift."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from events import announce
from leadscore import Project
from leadscore.errors import AlarmError
from leadscore.printable import as_markdown
from leadscore.results import Monitored, Reviewed
from local import artifacts
from pages import page


@contextmanager
def alarms_announced(project: Project) -> Iterator[None]:
    """A delivery that fails its alarms inside is announced, and the error goes on."""
    try:
        yield
    except AlarmError as e:
        announce("withheld", project.settings.project, reasons=[*e.names])
        raise


def announce_drift(monitored: Monitored) -> None:
    """The alarms, if there are any."""
    alarms = [
        {"kind": alarm.kind, "subject": alarm.subject, "since": alarm.since}
        for alarm in monitored.alarms
    ]
    if alarms:
        announce("drift", monitored.project, as_of=monitored.as_of, alarms=alarms)


def announce_review(reviewed: Reviewed) -> None:
    """Alarms, and a champion that gave way to the one before."""
    monitored, rollback = reviewed.monitored, reviewed.rollback
    announce_drift(monitored)
    if rollback.rolled_back:
        announce("rolled_back", monitored.project, as_of=monitored.as_of, why=rollback.why)


@page
def show_alarms(monitored: Monitored) -> None:
    """The alarms as a table, empty if there is none."""
    rows = []
    for alarm in monitored.alarms:
        texts = {"alarm": alarm.kind, "of": alarm.subject, "what": alarm.what, "do": alarm.do}
        rows.append({name: as_markdown(text) for name, text in texts.items()})
    about = f"as of {monitored.as_of}"
    artifacts.create_table_artifact(rows, key="leadscore-alarms", description=about)
