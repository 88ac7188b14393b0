"""How the settings state the moment of an export, and the keys that did so in earlier versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.errors import TimeFormatError
from leadscore.wording import listed

if TYPE_CHECKING:
    from leadscore.settings.settings import Settings

OLD_KEYS = {"max_staleness_days"}


def refuse_old_keys(raw: object) -> None:
    """Raise ValueError, with the line to write instead, where a key of an earlier version is set."""
    if not isinstance(raw, dict) or "max_staleness_days" not in raw:
        return
    days = raw["max_staleness_days"]
    instead = "leave it out for the default, 36 hours"
    if isinstance(days, int | float) and days > 0:
        instead = f"write max_staleness_hours = {days * 24:g}"
    raise ValueError(f"max_staleness_days is now stated in hours; {instead}")


def check_moment(settings: Settings) -> None:
    """Raise ValueError where the moment of the export is stated twice, or nothing is dated."""
    columns = [
        f"sources.{name}.known_until_column"
        for name, source in settings.sources.items()
        if source.known_until_column
    ]
    if columns and not settings.is_dated:
        raise ValueError(f"{columns[0]}: nothing is dated, so leave it out")

    ways = []
    if settings.known_until is not None:
        ways.append("known_until")
    if settings.known_until_file is not None:
        ways.append("known_until_file")
    ways += columns[:1]
    if len(ways) > 1:
        raise ValueError(f"the moment of the export is stated by {listed(ways)}; keep one of them")


def check_readable(settings: Settings) -> None:
    """Raise ValueError if `known_until` cannot be read as a time."""
    try:
        settings.known_until_us()
    except TimeFormatError as e:
        raise ValueError(f"known_until: {e}") from e
