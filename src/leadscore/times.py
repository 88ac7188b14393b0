"""Moments as int64 UTC microseconds: the one clock-free way in which leadscore speaks of time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from leadscore.errors import TimeFormatError

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER_US = 2**62  # later than any moment a fact can have; "not closed" compares as the far future


def to_us(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware datetime, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


FIRST_US = to_us(datetime.min.replace(tzinfo=UTC))
LAST_US = to_us(datetime.max.replace(tzinfo=UTC))


def parse_moment(value: str | date | datetime, *, zone: str) -> int:
    """A moment in UTC microseconds; a bare date means its 00:00 in `zone`, as does a time without a zone.

    >>> parse_moment("1970-01-02", zone="UTC")
    86400000000
    >>> parse_moment("1970-01-01T01:00:00+01:00", zone="UTC")
    0
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as e:
            raise TimeFormatError(value) from e
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    us = to_us(value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone)))
    if (
        not FIRST_US <= us <= LAST_US
    ):  # in UTC it is in no year from 1 to 9999, and could not be shown
        raise TimeFormatError(str(value))
    return us


def parse_asked(text: str | None, *, zone: str, clock_us: int) -> int | None:
    """A moment that somebody may ask for: None if nobody does, the clock's for "now", else as `parse_moment`."""
    if text == "now":
        return clock_us
    return None if text is None else parse_moment(text, zone=zone)


def format_us(us: int) -> str:
    """ISO 8601 in UTC, with a fraction only where there is one.

    >>> format_us(86_400_000_000)
    '1970-01-02T00:00:00Z'
    """
    return (EPOCH + timedelta(microseconds=us)).isoformat().replace("+00:00", "Z")


def format_day(us: int, *, zone: str) -> str:
    """A day where the moment is the last of one, as that of a date without a time is; else as `format_us`.

    >>> format_day(86_400_000_000 - 1, zone="UTC"), format_day(3_600_000_000, zone="UTC")
    ('1970-01-01', '1970-01-01T01:00:00Z')
    """
    local = (EPOCH + timedelta(microseconds=us)).astimezone(ZoneInfo(zone))
    return local.date().isoformat() if local.time() == time.max else format_us(us)


def name_moment(us: int, *, time: str) -> str:
    """A moment of a time mode in words: a date, a place in the order, or that there is none.

    >>> name_moment(86_400_000_000, time="dated"), name_moment(7, time="ordered"), name_moment(0, time="none")
    ('1970-01-02T00:00:00Z', 'place 7', 'undated')
    """
    return {"ordered": f"place {us}", "none": "undated"}.get(time) or format_us(us)


def local_midnights(start_us: int, end_us: int, *, zone: str) -> list[tuple[int, int]]:
    """Every local 00:00 in [start_us, end_us) as (days since 1970-01-01, UTC microseconds), in order."""
    tz = ZoneInfo(zone)
    day = (EPOCH + timedelta(microseconds=start_us)).astimezone(tz).date()
    found: list[tuple[int, int]] = []
    while True:
        us = to_us(datetime.combine(day, time(), tzinfo=tz))
        if us >= end_us:
            return found
        if found and found[-1][1] == us:
            found.pop()  # that day was left out: a zone moved over the date line
        if us >= start_us:
            found.append((day.toordinal() - date(1970, 1, 1).toordinal(), us))
        day += timedelta(days=1)
