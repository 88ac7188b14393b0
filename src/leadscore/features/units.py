"""Values of features as people read them, by unit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

LONGEST = 80  # characters of a text that a sentence quotes
MINUTES_AN_HOUR = 60
HOURS_A_DAY = 24
SHOWN_IN_HOURS = 1.5  # from this length on
SHOWN_IN_WHOLE_HOURS = 3
SHOWN_IN_DAYS = 48.0
DAYS_A_WEEK = 7
DAYS_A_MONTH = 365.25 / 12
DAYS_A_YEAR = 365.25
SHOWN_IN_WEEKS = 14  # days from which on weeks are told
SHOWN_IN_MONTHS = 61
SHOWN_IN_YEARS = 730


def shown(value: Any, unit: str) -> str:
    """A value as a person reads it.

    >>> shown(0.0, "count"), shown(1.26, "days"), shown(0.5, "share"), shown(15000.0, "number")
    ('none', '1 day', '50%', '15,000')
    """
    forms: dict[str, Callable[[Any], str]] = {
        "category": _quote,
        "count": lambda n: f"{n:,.0f}" if n else "none",
        "days": _show_days,
        "days ahead": lambda days: ahead(days) if days >= 0 else ago(-days),
        "minutes": _show_minutes,
        "moved": _show_move,
        "change": _show_change,
        "share": lambda share: f"{share * 100:.0f}%",
        "a week": _show_weekly,
        "times": lambda times: f"{times:.1f} times",
        "flag": lambda flag: "known" if flag else "not known",
        "number": lambda number: f"{round(number, 2) + 0.0:,.2f}".removesuffix(".00"),
    }
    return forms[unit](value)


def _quote(text: Any) -> str:
    """A text in one line, as a sentence quotes it; reasons are told apart by their lines."""
    in_one_line = " ".join(str(text).split())
    return in_one_line if len(in_one_line) <= LONGEST else f"{in_one_line[:LONGEST].rstrip()}…"


def ago(days: float, *, elapsed: float = 0.0) -> str:
    """How long ago something was, by the calendar.

    Args:
        days: since then.
        elapsed: share of the present day that has passed; a list of midnight has none.

    >>> ago(0.4), ago(0.4, elapsed=0.5), ago(1.2), ago(3), ago(21.0), ago(95), ago(800)
    ('yesterday', 'today', '2 days ago', '3 days ago', '3 weeks ago', '3 months ago', '2 years ago')
    """
    nights = max(math.ceil(days - elapsed), 0)
    if nights < 2:
        return "yesterday" if nights else "today"
    return f"{_show_length(nights)} ago"


def ahead(days: float) -> str:
    """How far ahead something is.

    >>> ahead(0.4), ahead(1), ahead(1.5), ahead(12), ahead(30)
    ('today', 'tomorrow', 'tomorrow', 'in 12 days', 'in 4 weeks')
    """
    nights = math.floor(days)
    if nights < 2:
        return "tomorrow" if nights else "today"
    return f"in {_show_length(nights)}"


def _show_length(days: float) -> str:
    """A number of days in the unit that suits it."""
    if days >= SHOWN_IN_YEARS:
        return f"{days / DAYS_A_YEAR:.0f} years"
    if days >= SHOWN_IN_MONTHS:
        return f"{days / DAYS_A_MONTH:.0f} months"
    if days >= SHOWN_IN_WEEKS:
        return f"{days / DAYS_A_WEEK:.0f} weeks"
    return f"{days:.0f} days"


def _show_days(days: float) -> str:
    """A length in whole days.

    >>> _show_days(0.3), _show_days(1.2), _show_days(61.0)
    ('less than a day', '1 day', '61 days')
    """
    whole = round(days)
    if whole < 1:
        return "less than a day"
    return "1 day" if whole == 1 else f"{whole:,} days"


def _show_minutes(minutes: float) -> str:
    """A length in the unit that suits it.

    >>> _show_minutes(0), _show_minutes(1), _show_minutes(95), _show_minutes(605), _show_minutes(9999)
    ('0 minutes', '1 minute', '1.6 hours', '10 hours', '7 days')
    """
    hours = minutes / MINUTES_AN_HOUR
    if hours >= SHOWN_IN_DAYS:
        return _show_days(hours / HOURS_A_DAY)
    if hours >= SHOWN_IN_HOURS:
        digits = 0 if hours >= SHOWN_IN_WHOLE_HOURS else 1
        return f"{hours:.{digits}f}".removesuffix(".0") + " hours"
    number = f"{minutes:.0f}"
    return f"{number} minute" if number == "1" else f"{number} minutes"


def _show_move(days: float) -> str:
    if not days:
        return "none"
    return f"{_show_days(abs(days))} {'later' if days > 0 else 'earlier'}"


def _show_change(share: float) -> str:
    percent = round(abs(share) * 100)
    return f"{percent}% {'higher' if share > 0 else 'lower'}" if percent else "none"


def _show_weekly(n: float) -> str:
    """A pace or a difference of two, without its sign.

    >>> _show_weekly(2.0), _show_weekly(-1.26), _show_weekly(0.04)
    ('2', '1.3', 'less than 0.1')
    """
    size = abs(n)
    if 0 < size < 0.05:
        return "less than 0.1"
    return f"{size:,.1f}".removesuffix(".0")
