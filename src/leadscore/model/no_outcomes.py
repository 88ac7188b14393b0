"""What to export, and until when, where no lead has been won yet, or none was lost."""

from __future__ import annotations

import pandas as pd

from leadscore.history.split import History
from leadscore.model.training import MIN_OUTCOMES
from leadscore.proposals import propose
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, FOREVER_US, format_local_day
from leadscore.wording import counted


def describe_missing_outcomes(history: History, *, known_us: int) -> str | None:
    """What it takes to learn where an outcome never occurs, or None where both do."""
    spells = history.spells(known_us)
    missing = _missing(spells)
    if not missing:
        return None
    known_until_us = history.version.known_until_us
    if known_us < known_until_us and not _missing(history.spells(known_until_us)):
        return (
            f"by {history.name(known_us)} no lead was marked {missing}; train as of a later moment"
        )
    return (
        f"no lead is marked {missing}. Export the closed leads too, with how and when they closed, "
        f"and map them to the table outcomes, or name the stages that close a lead. "
        f"{_describe_need(history.settings, spells)}"
    )


def _missing(spells: pd.DataFrame) -> str:
    closed = spells[spells["close_us"] < FOREVER_US]
    won = int(closed["won"].sum())
    has_lost = len(closed) > won
    if not won:
        return "won" if has_lost else "won or lost"
    return "" if has_lost else "lost"


def _describe_need(settings: Settings, spells: pd.DataFrame) -> str:
    """How many outcomes are needed; with dates, also from when there can be any."""
    least = f"at least {MIN_OUTCOMES} leads won and {MIN_OUTCOMES} not won"
    if not settings.is_dated:
        return f"To learn takes {least}; open leads say nothing without dates"
    days = settings.target.horizon_days
    need = f"To learn takes {least} within {counted(days, 'day')} of a date when they were open"
    if spells.empty:
        return need
    first_end_us = int(spells["start_us"].min()) + days * DAY_US
    day = format_local_day(first_end_us, zone=settings.timezone)
    return (
        f"{need}. If none has closed yet: that time ends on {day} for the first lead, so run "
        f"`{propose('ingest')}` and `{propose('train')}` again later; until then "
        "only points that you state under [scorecard] rank the leads"
    )
