"""What settings may say of the moment of an export, and the keys that said it before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from leadscore.errors import listed

OLD_KEYS = {"max_staleness_days"}
OLD_DEFAULT = 0


def refuse_old_keys(raw: object) -> None:
    """Raise ValueError, with the line to write instead, where a key of an earlier version is set."""
    if not isinstance(raw, dict) or "max_staleness_days" not in raw:
        return
    days = raw["max_staleness_days"]
    is_number = isinstance(days, int | float) and days > OLD_DEFAULT
    instead = (
        f"write max_staleness_hours = {days * 24:g}"
        if is_number
        else "leave it out for the default, 36 hours"
    )
    raise ValueError(f"max_staleness_days is now stated in hours; {instead}")


def check_one_moment(
    known_until: datetime | date | str | None,
    file: Path | None,
    sources: Sequence[str],
    *,
    dated: bool,
) -> None:
    """Raise ValueError where the moment of an export is stated in more than one way, or where nothing is dated."""
    if sources and not dated:
        raise ValueError(
            f"sources.{sources[0]}.known_until_column: nothing is dated, so leave it out"
        )
    ways = []
    if known_until is not None:
        ways.append("known_until")
    if file is not None:
        ways.append("known_until_file")
    if sources:
        ways.append(f"sources.{sources[0]}.known_until_column")
    if len(ways) > 1:
        raise ValueError(f"the moment of the export is stated by {listed(ways)}; keep one of them")
