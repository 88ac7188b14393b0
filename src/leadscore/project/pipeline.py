"""The arithmetic of the sales pipeline, at any moment."""

from __future__ import annotations

from leadscore.errors import UserError
from leadscore.funnel.stages import describe_stages
from leadscore.project.opened import checked_as_of, open_store
from leadscore.results.funnel import Funnel
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, format_us

YEAR = 365  # days


def describe_funnel(
    settings: Settings, *, as_of_us: int | None = None, days: float = YEAR
) -> Funnel:
    """What becomes of visits to each stage that began in the days before a moment.

    Args:
        settings: of the project.
        as_of_us: the moment, by what was known then; default known_until.
        days: of the period in which the visits began.

    Raises:
        UserError: nothing is dated, or no open stages are declared.
    """
    if not settings.is_dated:
        raise UserError(f"time = {settings.time}: without dates there is no speed to measure")
    stages = settings.stages.open
    if not stages:
        raise UserError('there are no stages; declare them in order, as [stages] open = ["New"]')
    with open_store(settings) as history:
        known_us = history.known_us(checked_as_of(history, as_of_us))
        since_us = known_us - round(days * DAY_US)
        visits = history.count_visits(known_us=known_us, since_us=since_us)
    return Funnel(
        as_of=format_us(known_us),
        since=format_us(since_us),
        stages=describe_stages(visits, stages),
    )
