"""Dates whose time of day is in a column of its own, which no entry of the settings can read."""

from __future__ import annotations

import re

from leadscore.audit.names import words_of
from leadscore.onboarding.profile import Column, Profile
from leadscore.onboarding.words import DURATION, speaks_of

CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( ?[ap]\.?m\.?)?", re.IGNORECASE)
GENERAL = re.compile("date|time|datum|uhrzeit|zeit|fecha|hora|heure|data|ora|^(?:on|at|am|um)$")


def doubt_time_of_day(date: Column, profile: Profile) -> str | None:
    """Which column seems to say at what time of its day a date was; None if none does."""
    if any(":" in value for value in date.values):
        return None
    others = list(profile.columns.values())
    is_only_date = sum(column.date_order is not None for column in others) == 1
    topics = [_topic(date), frozenset()] if is_only_date else [_topic(date)]
    clocks = [column for column in others if _holds_times(column) and _topic(column) in topics]
    if len(clocks) != 1:
        return None
    return (
        f"{clocks[0].name} seems to be its time of day, which is not read: join the two in a view "
        "(docs/views.md)"
    )


def _holds_times(column: Column) -> bool:
    values = list(column.values)
    is_varied = len(values) > 1 and not speaks_of(column.name, DURATION)
    return is_varied and all(CLOCK.fullmatch(value) for value in values)


def _topic(column: Column) -> frozenset[str]:
    """The words of its name, without those of dates and times."""
    stripped = (GENERAL.sub("", word) for word in words_of(column.name))
    return frozenset(filter(None, stripped))
