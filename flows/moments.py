"""Moments that were given to a flow, in UTC microseconds; the clock is read here."""

from __future__ import annotations

from datetime import UTC, datetime

from leadscore import Project
from leadscore.times import parse_asked, parse_moment, to_us


def clock_us_of(project: Project, clock: str | None) -> int:
    """The clock in UTC microseconds: the true one, or the moment that rehearses it."""
    if clock is None:
        return to_us(datetime.now(UTC))
    return parse_moment(clock, zone=project.settings.timezone)


def moment_us_of(project: Project, moment: str | None, clock: str | None) -> int | None:
    """A moment that was asked for, in UTC microseconds, or None."""
    zone = project.settings.timezone
    return parse_asked(moment, zone=zone, clock_us=clock_us_of(project, clock))
