from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.errors import TimeFormatError, UserError
from leadscore.times import format_us, local_midnights, parse_moment, to_us

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MAY_31_US = 1_717_113_600_000_000  # 2024-05-31T00:00:00Z, by `date -u -d 2024-05-31 +%s`


@pytest.mark.parametrize(
    ("value", "zone", "us"),
    [
        ("1970-01-01", "UTC", 0),
        ("1970-01-02", "UTC", DAY_US),
        ("1969-12-31T23:59:59.999999Z", "UTC", -1),
        ("1970-01-01T00:00:00.000001Z", "UTC", 1),
        ("2024-05-31", "UTC", MAY_31_US),
        ("2024-05-31", "Europe/Berlin", MAY_31_US - 2 * HOUR_US),
        ("2024-01-31", "Europe/Berlin", MAY_31_US - 121 * DAY_US - HOUR_US),
        ("2024-05-31", "America/New_York", MAY_31_US + 4 * HOUR_US),
        ("2024-05-31", "Asia/Kathmandu", MAY_31_US - 5 * HOUR_US - HOUR_US // 4 * 3),
        ("2024-05-31T14:00", "Europe/Berlin", MAY_31_US + 12 * HOUR_US),
        ("2024-05-31 14:00:00", "Europe/Berlin", MAY_31_US + 12 * HOUR_US),
        ("2024-05-31T14:00:00Z", "Europe/Berlin", MAY_31_US + 14 * HOUR_US),
        ("2024-05-31T14:00:00+05:30", "Europe/Berlin", MAY_31_US + 8 * HOUR_US + HOUR_US // 2),
        ("2024-05-31T14:00:00-0330", "Europe/Berlin", MAY_31_US + 17 * HOUR_US + HOUR_US // 2),
        ("2024-05-31T00:00:00.25Z", "UTC", MAY_31_US + 250_000),
        (date(2024, 5, 31), "Europe/Berlin", MAY_31_US - 2 * HOUR_US),
        (datetime.combine(date(2024, 5, 31), time(14)), "Europe/Berlin", MAY_31_US + 12 * HOUR_US),
        (datetime(2024, 5, 31, 14, tzinfo=UTC), "Europe/Berlin", MAY_31_US + 14 * HOUR_US),
    ],
)
def test_moment_when_it_is_written_in_any_way_then_it_is_exact(value, zone, us):
    assert parse_moment(value, zone=zone) == us


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "now",
        "tomorrow",
        "31.05.2024",
        "05/31/2024",
        "2024-02-30",
        "2024-13-01",
        "14:00",
        "2024-05-31T25:00",
    ],
)
def test_moment_when_it_cannot_be_read_then_the_error_shows_it_and_how_to_write_one(value):
    with pytest.raises(TimeFormatError) as told:
        parse_moment(value, zone="UTC")
    assert isinstance(told.value, UserError)
    assert repr(value) in str(told.value)
    assert "2024-05-31T14:00:00Z" in str(told.value)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (MAY_31_US + 14 * HOUR_US, "2024-05-31T14:00:00Z"),
        (MAY_31_US + 500_000, "2024-05-31T00:00:00.500000Z"),
    ],
)
def test_moment_when_it_is_shown_then_it_is_utc_with_a_fraction_only_where_there_is_one(us, text):
    assert format_us(us) == text


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.datetimes(*(datetime.combine(date(year, 1, 1), time()) for year in (1900, 2200))),
    st.integers(-14 * 60, 14 * 60),
)
def test_moment_when_it_is_shown_and_read_again_then_it_is_the_same_to_the_microsecond(
    naive, minutes
):
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    us = to_us(moment)
    # by days, seconds and microseconds rather than by one division
    gap = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert us == (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds
    assert parse_moment(format_us(us), zone="Asia/Tokyo") == us
    assert parse_moment(moment.isoformat(), zone="Asia/Tokyo") == us


def first_moments(start_us: int, end_us: int, zone: str) -> list[tuple[int, int]]:
    """The first moment of every local day, found by looking at a wall clock every minute."""
    tz, found = ZoneInfo(zone), {}
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=start_us - 26 * HOUR_US)
    us = start_us - 26 * HOUR_US
    while us < end_us:
        found.setdefault(moment.astimezone(tz).toordinal() - 719_163, us)
        moment, us = moment + timedelta(minutes=1), us + 60_000_000
    first = min(found)  # that day may have begun before the look-out
    return [
        (day, us) for day, us in sorted(found.items()) if day > first and start_us <= us < end_us
    ]


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("UTC", "2024-03-31"),
        ("Europe/Berlin", "2024-03-31"),  # a day of 23 hours
        ("Europe/Berlin", "2024-10-27"),  # a day of 25 hours
        ("America/Sao_Paulo", "2018-11-04"),  # begins at 01:00, midnight is skipped
        ("America/Sao_Paulo", "2019-02-16"),  # 23:00 comes twice
        ("Asia/Beirut", "2024-03-31"),  # begins at 01:00
        ("America/Havana", "2018-11-04"),  # midnight comes twice
        ("Atlantic/Azores", "2024-10-27"),  # midnight comes twice
        ("Australia/Lord_Howe", "2024-04-07"),  # half an hour
        ("Asia/Kathmandu", "2024-01-01"),
        ("Pacific/Apia", "2011-12-30"),  # this day was left out
    ],
)
def test_local_midnights_when_clocks_change_then_each_day_of_a_wall_clock_begins_once(zone, around):
    start = parse_moment(around, zone="UTC") - 2 * DAY_US
    end = start + 5 * DAY_US
    assert local_midnights(start, end, zone=zone) == first_moments(start, end, zone)


def test_local_midnights_when_days_are_short_or_long_then_the_steps_between_them_show_it():
    start, end = (
        parse_moment("2024-03-30", zone="Europe/Berlin"),
        parse_moment("2024-04-02", zone="Europe/Berlin"),
    )
    spring = [us for _, us in local_midnights(start, end, zone="Europe/Berlin")]
    assert [(b - a) / HOUR_US for a, b in pairwise(spring)] == [24, 23]
    start, end = (
        parse_moment("2024-10-26", zone="Europe/Berlin"),
        parse_moment("2024-10-30", zone="Europe/Berlin"),
    )
    autumn = [us for _, us in local_midnights(start, end, zone="Europe/Berlin")]
    assert [(b - a) / HOUR_US for a, b in pairwise(autumn)] == [24, 25, 24]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (0, DAY_US, [0]),  # the start belongs to it, the end does not
        (0, DAY_US + 1, [0, 1]),
        (1, DAY_US, []),
        (1, DAY_US + 1, [1]),
        (-1, 1, [0]),
        (-DAY_US, 1, [-1, 0]),
        (5, 5, []),
        (9, 5, []),
    ],
)
def test_local_midnights_when_the_range_begins_or_ends_at_one_then_only_the_begin_is_in_it(
    start, end, days
):
    assert local_midnights(start, end, zone="UTC") == [(day, day * DAY_US) for day in days]
