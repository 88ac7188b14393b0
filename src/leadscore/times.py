"""Moments as int64 UTC microseconds: how leadscore handles time everywhere, without asking the clock."""

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
    """A moment in UTC microseconds; a bare date means its 00:00. Without a zone it is local to `zone`.

    Raises:
        TimeFormatError: it cannot be read, or lies in no year from 1 to 9999 of UTC.

    >>> parse_moment("1970-01-02", zone="UTC")
    86400000000
    >>> parse_moment("1970-01-01T01:00:00+01:00", zone="UTC")
    0
    """
    moment = _as_datetime(value)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    us = to_us(aware)
    if not FIRST_US <= us <= LAST_US:  # it could not be shown
        raise TimeFormatError(str(moment))
    return us


def _as_datetime(value: str | date | datetime) -> datetime:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError as e:
            raise TimeFormatError(value) from e
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    raise TimeFormatError(value)


def parse_asked(text: str | None, *, zone: str, clock_us: int) -> int | None:
    """The moment that an option states: None if it is not given, the clock's for "now".

    Raises:
        TimeFormatError: it cannot be read.
    """
    if text is None:
        return None
    if text == "now":
        return clock_us
    return parse_moment(text, zone=zone)


def format_us(us: int) -> str:
    """ISO 8601 in UTC, with a fraction of a second only where it is not zero.

    >>> format_us(86_400_000_000)
    '1970-01-02T00:00:00Z'
    """
    return _from_us(us).isoformat().replace("+00:00", "Z")


def format_day(us: int, *, zone: str) -> str:
    """The day, where the moment is its last one, which a date without a time stands for; else as `format_us`.

    >>> format_day(86_400_000_000 - 1, zone="UTC"), format_day(3_600_000_000, zone="UTC")
    ('1970-01-01', '1970-01-01T01:00:00Z')
    """
    local = _from_us(us).astimezone(ZoneInfo(zone))
    return local.date().isoformat() if local.time() == time.max else format_us(us)


def format_local_day(us: int, *, zone: str) -> str:
    """The day of a moment in a zone, as files have it.

    >>> format_local_day(0, zone="America/New_York")
    '1969-12-31'
    """
    return _from_us(us).astimezone(ZoneInfo(zone)).date().isoformat()


def name_local_day(us: int, *, zone: str) -> str:
    """The day of a moment in a zone, as people write it.

    >>> name_local_day(0, zone="America/New_York")
    '31 December 1969'
    """
    local = _from_us(us).astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y}"


def name_month(us: int, *, zone: str) -> str:
    """The month of a moment in a zone.

    >>> name_month(0, zone="America/New_York")
    '1969-12'
    """
    return f"{_from_us(us).astimezone(ZoneInfo(zone)):%Y-%m}"


def name_moment(us: int, *, time: str) -> str:
    """A moment of a time mode in words: a time, a place in the order, or "undated".

    >>> name_moment(86_400_000_000, time="dated"), name_moment(7, time="ordered"), name_moment(0, time="none")
    ('1970-01-02T00:00:00Z', 'place 7', 'undated')
    """
    if time == "ordered":
        return f"place {us}"
    return "undated" if time == "none" else format_us(us)


def local_midnights(start_us: int, end_us: int, *, zone: str) -> list[tuple[int, int]]:
    """Every local 00:00 in [start_us, end_us) as (days since 1970-01-01, UTC microseconds), in order."""
    tz = ZoneInfo(zone)
    day = _from_us(start_us).astimezone(tz).date()
    midnights: list[tuple[int, int]] = []
    while True:
        us = to_us(datetime.combine(day, time(), tzinfo=tz))
        if us >= end_us:
            return midnights
        if midnights and midnights[-1][1] == us:
            midnights.pop()  # that day did not exist: the zone moved over the date line
        if us >= start_us:
            days = (day - EPOCH.date()).days
            midnights.append((days, us))
        day += timedelta(days=1)


def elapsed_of_day(us: int, *, zone: str) -> float:
    """The share of the day that has passed in a zone at a moment.

    >>> elapsed_of_day(0, zone="UTC"), elapsed_of_day(0, zone="Asia/Tokyo")
    (0.0, 0.375)
    """
    local = _from_us(us).astimezone(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (local - midnight) / timedelta(days=1)


def _from_us(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)
