"""How the settings state the moment of an export, and the keys that did so in earlier versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leadscore.errors import TimeFormatError
from leadscore.wording import listed

if TYPE_CHECKING:
    from leadscore.settings.settings import Settings

OLD_KEYS = {"max_staleness_days", "pass_through"}


def refuse_old_keys(raw: object) -> None:
    """Raise ValueError, with the line to write instead, where a key of an earlier version is set."""
    if not isinstance(raw, dict):
        return
    if "pass_through" in raw:
        raise ValueError(_describe_pass_through(raw))
    if "max_staleness_days" in raw:
        raise ValueError(_describe_staleness(raw["max_staleness_days"]))


def _describe_staleness(days: object) -> str:
    instead = "leave it out for the default, 36 hours"
    if isinstance(days, int | float) and days > 0:
        instead = f"write max_staleness_hours = {days * 24:g}"
    return f"max_staleness_days is now stated in hours; {instead}"


def _describe_pass_through(raw: Mapping[str, Any]) -> str:
    """That the section `show` replaces `pass_through`, with the lines to write."""
    stated = raw["pass_through"]
    keys = stated if isinstance(stated, list | tuple) else []
    lines = [f'{key} = "{_find_column(raw, key)}"' for key in keys]
    if not lines:
        return "pass_through is no longer needed; leave it out"
    return (
        "pass_through stored personal columns in the clear; people now see them by a section of "
        f"its own. Leave it out, and write [show] with the line {' and the line '.join(lines)}"
    )


def _find_column(raw: Mapping[str, Any], key: object) -> str:
    """The source's column that an entry maps to one of ours; the usual name where none does."""
    for entry in raw.get("mapping", ()):
        columns = entry.get("columns") if isinstance(entry, dict) else None
        if isinstance(columns, dict) and key in columns:
            return str(columns[key])
    return str(key).capitalize()


def check_moment(settings: Settings) -> None:
    """Raise ValueError where the moment of the export is stated twice, or nothing is dated."""
    columns = [
        f"sources.{name}.known_until_column"
        for name, source in settings.origins().items()
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
