"""Numbers and moments as the pages show them."""

from __future__ import annotations

import math

from leadscore.wording import whole_percent

UNKNOWN = "—"


def format_moment(text: str) -> str:
    """An ISO moment in UTC, to the minute.

    >>> format_moment("2024-03-01T00:00:00Z")
    '2024-03-01 00:00 UTC'
    """
    return f"{text[:10]} {text[11:16]} UTC"


def format_share(value: float | None) -> str:
    """A share in percent, or a dash if it is not known."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    shown = round(value * 100, 1) + 0.0  # + 0.0 makes 0.0 of -0.0
    return f"{shown:.1f}%"


def format_percent(share: float) -> str:
    """A share above 0 in whole percent, the same wherever people read it.

    >>> format_percent(0.5649), format_percent(0.004)
    ('56%', '<1%')
    """
    percent = whole_percent(share)
    return f"{percent}%" if percent else "<1%"


def format_interval(low: float, high: float) -> str:
    """The bounds of a share in whole percent.

    >>> format_interval(0.0149, 0.0649)
    '1 to 6%'
    """
    return f"{whole_percent(low)} to {whole_percent(high)}%"


def format_number(value: float | None) -> str:
    """A number with three digits, or a dash if it is not known."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    shown = round(value, 3) + 0.0
    return f"{shown:.3f}"


def format_count(value: float) -> str:
    """A whole number, with a comma between thousands."""
    return f"{value:,.0f}"


def capitalise(text: str) -> str:
    """The text with a capital first letter, the others as they are."""
    return text[:1].upper() + text[1:]
