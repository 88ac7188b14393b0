from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadscore.ingest.mapping.date_questions import (
    ask_about,
    count_date_orders,
    find_ambiguous_dates,
)
from leadscore.ingest.mapping.moments import FEW, find_bare_dates, read_moments, within_reason
from leadscore.ingest.readers.values import format_values

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_US = 60_000_000


def column(values: list) -> pa.Array:
    return pa.array(values, pa.string())


def moment(text: str, zone: str = "UTC", dates: str | None = None) -> str | None:
    """How one text is read, as UTC; None if it is refused."""
    us, ok = read_moments(column([text]), zone=zone, dates=dates)
    return utc(us[0]) if ok[0] else None


def utc(us: int) -> str:
    return (EPOCH + timedelta(microseconds=int(us))).isoformat().replace("+00:00", "Z")


def us_of(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "zone", "read"),
    [
        # a date is the last microsecond of its day
        ("2024-05-31", "UTC", "2024-05-31T23:59:59.999999Z"),
        ("2024-05-31", "Europe/Berlin", "2024-05-31T21:59:59.999999Z"),
        ("2024-12-31", "America/New_York", "2025-01-01T04:59:59.999999Z"),
        ("2024-03-30", "Europe/Berlin", "2024-03-30T22:59:59.999999Z"),
        ("2024-03-31", "Europe/Berlin", "2024-03-31T21:59:59.999999Z"),
        ("2024-10-27", "Europe/Berlin", "2024-10-27T22:59:59.999999Z"),
        (
            "2018-11-03",
            "America/Sao_Paulo",
            "2018-11-04T02:59:59.999999Z",
        ),  # the next day begins at 01:00
        (
            "2018-11-03",
            "America/Havana",
            "2018-11-04T03:59:59.999999Z",
        ),  # the next day's 00:00 comes twice
        ("2024-10-26", "Atlantic/Azores", "2024-10-26T23:59:59.999999Z"),  # so does this one's
        ("2024-02-29", "UTC", "2024-02-29T23:59:59.999999Z"),
        # with a zone of its own
        ("2024-05-31T14:00:00Z", "Asia/Tokyo", "2024-05-31T14:00:00Z"),
        ("2024-05-31 14:00:00Z", "Asia/Tokyo", "2024-05-31T14:00:00Z"),
        ("2024-05-31T14:00:00+02:00", "Asia/Tokyo", "2024-05-31T12:00:00Z"),
        ("2024-05-31T14:00:00-0330", "Asia/Tokyo", "2024-05-31T17:30:00Z"),
        ("2024-05-31T14:00+02:00", "Asia/Tokyo", "2024-05-31T12:00:00Z"),
        # local to the source's zone
        ("2024-05-31T14:00:00", "Asia/Tokyo", "2024-05-31T05:00:00Z"),
        ("2024-05-31 14:00:00", "Europe/Berlin", "2024-05-31T12:00:00Z"),
        ("2024-05-31T14:00", "Europe/Berlin", "2024-05-31T12:00:00Z"),
        ("2024-01-31T14:00", "Europe/Berlin", "2024-01-31T13:00:00Z"),
        ("2024-10-27T02:30", "Europe/Berlin", "2024-10-27T01:30:00Z"),  # comes twice: the later
        (
            "2024-03-31T02:30",
            "Europe/Berlin",
            "2024-03-31T01:00:00Z",
        ),  # is skipped: the first after
        ("2018-11-04T00:00", "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        # fractions, cut to microseconds
        ("2024-05-31T14:00:00.5", "UTC", "2024-05-31T14:00:00.500000Z"),
        ("2024-05-31T14:00:00.123", "UTC", "2024-05-31T14:00:00.123000Z"),
        ("2024-05-31T14:00:00.123456Z", "UTC", "2024-05-31T14:00:00.123456Z"),
        ("2024-05-31T14:00:00.1234567Z", "UTC", "2024-05-31T14:00:00.123456Z"),
        ("2024-05-31T14:00:00.999999999", "UTC", "2024-05-31T14:00:00.999999Z"),
        ("1969-12-31T23:59:59.999999", "UTC", "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_moments_when_text_is_a_date_or_a_time_then_it_is_read_exactly(text, zone, read):
    assert moment(text, zone) == read


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "junk", "null", "0", "20240531", "1717156800", "31.05.2024", "05/31/2024", "2024/05-31", "2024-02-30",
        "2023-02-29", "2024-13-01", "2024-00-10", "0000-00-00", "2024-05-31T", "2024-05-31T24:30", "2024-05-31T14",
        "2024-05-31T14:60", "2024-05-31T14:00:61", "2024-05-31T14:00:00+25:00", "2024-05-31Tjunk+01:00", "14:00",
        "2024-05-31T1junkZ", "2024-05-31 14:00 o'clock", "2024-05-31\n2024-05-31", "-2024-05-31", "2024-05-31 2 PM",
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_moments_when_text_is_no_time_then_it_is_marked_and_nothing_is_guessed(text, zone):
    assert moment(text, zone) is None


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "text",
    ["9999-12-31", "9999-12-31T23:59:59", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01",
     "0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "1000-01-01", "2200-06-01", "1899-06-01"],
)  # fmt: skip
def test_moments_when_a_date_stands_for_always_or_never_then_it_is_not_within_reason(text, zone):
    us, ok = read_moments(column(["2024-05-31", text]), zone=zone, dates=None)
    assert ok[0]
    assert not (ok & within_reason(us))[1]


@pytest.mark.parametrize(
    "text", ["1900-01-03", "1969-12-31", "1970-01-01", "2024-05-31", "2199-12-30"]
)
def test_moments_when_a_date_lies_within_three_centuries_then_it_is_within_reason(text):
    us, ok = read_moments(column([text]), zone="UTC", dates=None)
    assert (ok & within_reason(us)).all()


def test_moments_when_forms_are_mixed_then_each_row_is_read_by_itself():
    texts = [
        "2024-05-31",
        "junk",
        "2024-05-31T14:00:00.123456789Z",
        "",
        "2024-05-31T14:00",
        "1500-01-01T00:00:00Z",
    ]
    us, ok = read_moments(column(texts), zone="Europe/Berlin", dates=None)
    assert ok[:5].tolist() == [True, False, True, False, True]
    assert [utc(u) for u in us[[0, 2, 4]]] == [
        "2024-05-31T21:59:59.999999Z", "2024-05-31T14:00:00.123456Z", "2024-05-31T12:00:00Z",
    ]  # fmt: skip


@pytest.mark.parametrize("dates", ["dmy", "mdy", "ymd"])
def test_moments_when_an_order_is_stated_then_other_forms_in_the_column_are_read_as_ever(dates):
    texts = ["27. Januar 2026", "Jan 3, 2025 1:05 PM", "03-Mar-2025", "2025-10-03 09:05 Uhr", "x"]
    us, ok = read_moments(column(["01/02/2003", "01/02/03", *texts]), zone="UTC", dates=dates)
    assert ok.tolist() == [dates != "ymd", True, True, True, True, True, False]
    assert [utc(u) for u in us[2:6]] == [
        "2026-01-27T23:59:59.999999Z", "2025-01-03T13:05:00Z", "2025-03-03T23:59:59.999999Z",
        "2025-10-03T09:05:00Z",
    ]  # fmt: skip


def test_moments_when_there_are_no_rows_then_none_come_back():
    us, ok = read_moments(column([]), zone="Europe/Berlin", dates=None)
    assert (len(us), len(ok)) == (0, 0)


@cache
def wall_clock(day: date, zone: str) -> list[tuple[datetime, int]]:
    """(what a wall clock shows, UTC microseconds) at every minute of the days before, of and after `day`."""
    begin = datetime.combine(day, time(), UTC) - timedelta(hours=40)
    moments = [begin + timedelta(minutes=n) for n in range(104 * 60)]
    tz = ZoneInfo(zone)
    return [
        (m.astimezone(tz).replace(tzinfo=None), (m - EPOCH) // timedelta(microseconds=1))
        for m in moments
    ]


CHANGES = [  # a zone and a day around which its clocks change
    ("Europe/Berlin", date(2024, 3, 31)),
    ("Europe/Berlin", date(2024, 10, 27)),
    ("Europe/Dublin", date(2024, 10, 27)),  # its winter time counts as the one that is not standard
    ("Europe/Moscow", date(2014, 10, 26)),  # a new standard time
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2019, 2, 16)),
    ("America/Havana", date(2018, 3, 11)),
    ("America/Havana", date(2018, 11, 4)),
    ("America/St_Johns", date(2010, 3, 14)),  # at one minute past midnight
    ("America/St_Johns", date(2010, 11, 7)),
    ("Asia/Beirut", date(2024, 3, 31)),
    ("Asia/Beirut", date(2024, 10, 27)),
    ("Asia/Kathmandu", date(2024, 1, 1)),
    ("Atlantic/Azores", date(2024, 3, 31)),
    ("Atlantic/Azores", date(2024, 10, 27)),
    ("Australia/Lord_Howe", date(2024, 4, 7)),  # by half an hour
    ("Pacific/Chatham", date(2024, 9, 29)),
]


@example(
    change=("Pacific/Chatham", date(2024, 9, 29)), minutes=165
)  # pandas 3.1 takes it as an hour earlier
@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.sampled_from(CHANGES), st.integers(-26 * 60, 26 * 60))
def test_local_time_when_a_wall_clock_is_asked_then_the_last_moment_that_shows_it_or_the_first_after_is_read(
    change, minutes
):
    zone, day = change
    shown = datetime.combine(day, time()) + timedelta(minutes=minutes)
    clock = wall_clock(day, zone)
    during = [us for local, us in clock if local == shown]
    expected = max(during) if during else min(us for local, us in clock if local > shown)
    us, ok = read_moments(column([shown.isoformat(sep=" ")]), zone=zone, dates=None)
    assert ok[0]
    assert utc(us[0]) == utc(expected)


@pytest.mark.parametrize("shift", [-1, 0, 1])
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_date_when_a_wall_clock_is_asked_then_the_last_microsecond_that_shows_that_day_is_read(
    zone, day, shift
):
    stated = day + timedelta(days=shift)
    during = [us for local, us in wall_clock(day, zone) if local.date() == stated]
    us, ok = read_moments(column([stated.isoformat()]), zone=zone, dates=None)
    assert ok[0]
    assert utc(us[0]) == utc(max(during) + MINUTE_US - 1)


NAIVE = [
    datetime.fromisoformat(f"2024-{text}")
    for text in ("05-31T14:00:00.123456", "03-31T02:30", "10-27T02:30")
]
AWARE = [value.replace(tzinfo=UTC) for value in NAIVE]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Sao_Paulo"])
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (NAIVE, pa.timestamp("us")),
        (NAIVE, pa.timestamp("ns")),
        (NAIVE[1:], pa.timestamp("s")),
        (AWARE, pa.timestamp("us", "Asia/Tokyo")),
        (AWARE, pa.timestamp("ns", "Europe/Berlin")),
        (AWARE[1:], pa.timestamp("ms", "+02:00")),
        ([date(2024, 5, 31), date(2018, 11, 3)], pa.date32()),
        ([date(2024, 5, 31), date(2018, 11, 3)], pa.date64()),
    ],
    ids=str,
)
def test_moments_when_a_column_was_typed_then_they_agree_with_its_text_and_nulls_are_marked(
    values, kind, zone
):
    us, ok = read_moments(format_values(pa.array([*values, None], kind)), zone=zone, dates=None)
    expected, _ = read_moments(column([str(value) for value in values]), zone=zone, dates=None)
    assert ok.tolist() == [True] * len(values) + [False]
    assert us[:-1].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1], pa.int64()),
        ([1.5], pa.float64()),
        ([True], pa.bool_()),
        ([None], pa.null()),
        ([253_402_300_800_000], pa.timestamp("ms")),  # the year 10000
        ([253_402_300_800_000], pa.timestamp("ms", "UTC")),
        ([2**62], pa.timestamp("s")),
    ],
    ids=str,
)
def test_moments_when_a_typed_column_holds_no_sensible_time_then_it_is_refused_and_not_raised(
    values, kind
):
    us, ok = read_moments(format_values(pa.array(values, kind)), zone="Europe/Berlin", dates=None)
    assert not (ok & within_reason(us)).any()


@pytest.mark.parametrize(
    ("text", "dates", "read"),
    [
        ("03/04/2025", "dmy", "2025-04-03T23:59:59.999999Z"),
        ("03/04/2025", "mdy", "2025-03-04T23:59:59.999999Z"),
        ("3.4.2025", "dmy", "2025-04-03T23:59:59.999999Z"),
        ("31-12-2025", "dmy", "2025-12-31T23:59:59.999999Z"),
        ("12/31/2025", "mdy", "2025-12-31T23:59:59.999999Z"),
        ("31/12/2025", "mdy", None),
        ("29.02.2025", "dmy", None),
        ("03/04/2025 14:05", "dmy", "2025-04-03T14:05:00Z"),
        ("3/4/2025, 2:05 PM", "mdy", "2025-03-04T14:05:00Z"),
        ("3/4/2025 2:05\u202fPM", "mdy", "2025-03-04T14:05:00Z"),
        ("3/4/2025 12:05 am", "mdy", "2025-03-04T00:05:00Z"),
        ("3/4/2025 12:05:59 p.m.", "mdy", "2025-03-04T12:05:59Z"),
        ("3/4/2025 13:05 PM", "mdy", None),
        ("3/4/2025 0:05 AM", "mdy", None),
        ("03.04.2025 14:05:06.5", "dmy", "2025-04-03T14:05:06.500000Z"),
        ("03.04/2025", "dmy", None),
        ("03/04/25", "dmy", "2025-04-03T23:59:59.999999Z"),
        ("3/4/25 9:05", "mdy", "2025-03-04T09:05:00Z"),
        ("25/4/3", "ymd", "2025-04-03T23:59:59.999999Z"),
        ("31.12.68", "dmy", "2068-12-31T23:59:59.999999Z"),
        ("31.12.69", "dmy", "1969-12-31T23:59:59.999999Z"),
        ("03/04/25", None, None),
        ("2025/04/03", "dmy", "2025-04-03T23:59:59.999999Z"),  # no one writes year, day, month
        ("2025-04-03", "mdy", "2025-04-03T23:59:59.999999Z"),
        ("2025-04-03T14:00Z", "dmy", "2025-04-03T14:00:00Z"),
        ("03/04/2025", None, None),
        ("31.12.2025", None, None),
    ],
)
def test_moments_when_day_or_month_comes_first_then_they_are_read_only_in_the_stated_order(
    text, dates, read
):
    assert moment(text, dates=dates) == read


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["2025-04-03", "", "x"], None),
        (["2025-04-03", "1.2.2025", "03/04/2025"], "1.2.2025"),
        (["junk/04/2025", "03/04/2025 14:05", "1.2.2025"], "03/04/2025 14:05"),
        ([], None),
    ],
)
def test_ambiguous_dates_when_there_are_some_then_the_first_is_found(texts, found):
    assert find_ambiguous_dates(column(texts)) == found


def test_date_orders_when_they_are_counted_then_only_those_that_decide_count():
    texts = ["03/04/2025", "31/12/2025", "13.1.2025", "12/31/2025", "99/99/2025", "2025-01-01", ""]
    assert count_date_orders(column(texts)) == {"dmy": 2, "mdy": 1, "ymd": 0}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2025/10/03 13:16", "2025-10-03T13:16:00Z"),
        ("2025年10月3日 13:16", "2025-10-03T13:16:00Z"),
        ("2025년 10월 3일", "2025-10-03T23:59:59.999999Z"),
        ("2025.1.3", "2025-01-03T23:59:59.999999Z"),
        ("2025-10-03  9:05 PM", "2025-10-03T21:05:00Z"),
        ("2025-10-03 09:05:00 UTC", "2025-10-03T09:05:00Z"),
        ("2025-10-03 09:05:00.5 GMT", "2025-10-03T09:05:00.500000Z"),
        ("2025-10-03 09:05 +0200", "2025-10-03T07:05:00Z"),
        ("2025-10-03T09:05:00+02", "2025-10-03T07:05:00Z"),
        ("2025-10-03 12:05 AM +0200", "2025-10-02T22:05:00Z"),  # the hour that the clock shows
        ("2025-10-03 12:05 PM -0700", "2025-10-03T19:05:00Z"),
        ("2025-10-03 9:05 AM -0700", "2025-10-03T16:05:00Z"),
        ("2025-10-03 00:05 AM +0200", None),
        ("Oct 3, 2025", "2025-10-03T23:59:59.999999Z"),
        ("October 3rd, 2025 at 1:05 p.m.", "2025-10-03T13:05:00Z"),
        ("Fri, 03 Oct 2025 09:05:00 +0000", "2025-10-03T09:05:00Z"),
        (
            "Fri Oct 03 2025 09:05:00 GMT+0200 (Central European Summer Time)",
            "2025-10-03T07:05:00Z",
        ),
        ("03-OCT-2025", "2025-10-03T23:59:59.999999Z"),
        ("3. Oktober 2025", "2025-10-03T23:59:59.999999Z"),
        ("3 de octubre de 2025", "2025-10-03T23:59:59.999999Z"),
        ("3 ao\u00fbt 2025 08:00", "2025-08-03T08:00:00Z"),
        ("2025-Oct-03", "2025-10-03T23:59:59.999999Z"),
        ("1759482300000", "2025-10-03T09:05:00Z"),
        ("3 lis 2025", None),  # October in Croatian, November in Polish
        ("03-Oct-25", None),
        ("Oct 2025", None),
        ("31 Feb 2025", None),
        ("2025-10-03 09:05:00 CET", None),  # a name that several zones share is not looked up
        ("12 13 2025", None),
        ("2025-10-03T24:00:00", "2025-10-04T00:00:00Z"),  # the end of the day, as ISO 8601 has it
        ("2025-10-03 24:00+02:00", "2025-10-03T22:00:00Z"),
        ("2025/10/03 24:00", "2025-10-04T00:00:00Z"),
        ("2025-10-03 24:00:01", None),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),  # a leap second
        ("2017-01-01 00:59:60.5+01:00", "2017-01-01T00:00:00.500000Z"),
        ("Jan 1, 2017 5:29:60 AM", None),
        ("2025-10-03 11:05:00 +0200 CEST", "2025-10-03T09:05:00Z"),  # of Go
        ("2025-10-03 09:05:00.123456789 +0000 UTC", "2025-10-03T09:05:00.123456Z"),
        ("20251003T090500Z", "2025-10-03T09:05:00Z"),
        ("20251003T0905", "2025-10-03T09:05:00Z"),
        ("20251003T110500+0200", "2025-10-03T09:05:00Z"),
        ("2025-10-03T11:05:00+02:00[Europe/Berlin]", "2025-10-03T09:05:00Z"),
        ("2025-10-03T09:05:00Z[UTC]", "2025-10-03T09:05:00Z"),
        ("2025-10-03 11:05 GMT+2", "2025-10-03T09:05:00Z"),
        ("2025-10-03 14:35 UTC+5:30", "2025-10-03T09:05:00Z"),
        ("2025-10-03 11:05 UTC+02", "2025-10-03T09:05:00Z"),
        ("2025-10-03 09:05 (PST)", None),
        ("2025-10-03 09:05 (about)", None),
        ("Fri Oct  3 09:05:00 2025", "2025-10-03T09:05:00Z"),
        ("Fri Oct 03 09:05:00 UTC 2025", "2025-10-03T09:05:00Z"),
        ("2025.10.03 09.05.00", "2025-10-03T09:05:00Z"),
        ("2025-10-03-09.05.00.250000", "2025-10-03T09:05:00.250000Z"),
        ("2025\u5e7410\u67083\u65e5 9\u664205\u5206", "2025-10-03T09:05:00Z"),
        ("2025\u5e7410\u67083\u65e5", "2025-10-03T23:59:59.999999Z"),
        (
            "2025\u5e7410\u670811\u65e54\u664205\u5206",
            "2025-10-11T04:05:00Z",
        ),  # and not the 1st at 14:05
        ("2025\u5e7410\u67081\u65e54", None),
        ("2025\u5e7410\u67081\u65e5 4:05", "2025-10-01T04:05:00Z"),
        ("2025\u5e7410\u67081\u65e514:05", "2025-10-01T14:05:00Z"),
        ("2025\u5e7410\u67083\u65e59\u6642", "2025-10-03T09:00:00Z"),
        ("2025\u5e7410\u67083\u65e5 9\u70b95\u52067\u79d2", "2025-10-03T09:05:07Z"),
        ("2025\ub144 10\uc6d4 3\uc77c 9\uc2dc 5\ubd84", "2025-10-03T09:05:00Z"),
        ("\uff12\uff10\uff12\uff15/\uff11\uff10/\uff10\uff13", "2025-10-03T23:59:59.999999Z"),
        (
            "\uff12\uff10\uff12\uff15\u5e74\uff11\uff10\u6708\uff13\u65e5\u3000\uff19\u6642\uff10\uff15\u5206",
            "2025-10-03T09:05:00Z",
        ),
        ("2025\uff0d10\uff0d03 09\uff1a05", "2025-10-03T09:05:00Z"),
        ("2025/10/03(\u91d1) 09:05", "2025-10-03T09:05:00Z"),
        ("2025\u5e7410\u67083\u65e5\uff08\u91d1\uff09", "2025-10-03T23:59:59.999999Z"),
        ("2025\u5e7410\u67083\u65e5\u661f\u671f\u4e94 \u4e0b\u53489:05", "2025-10-03T21:05:00Z"),
        ("2025\u5e7410\u67083\u65e5 \u91d1\u66dc\u65e5", "2025-10-03T23:59:59.999999Z"),
        ("2025. 10. 3.", "2025-10-03T23:59:59.999999Z"),
        ("2025. 10. 3. \uc624\ud6c4 9:05:00", "2025-10-03T21:05:00Z"),
        ("2025. 10. 3. \uc624\uc804 12:05", "2025-10-03T00:05:00Z"),
        ("2025/10/3 \u4e0a\u53489:05:00", "2025-10-03T09:05:00Z"),
        ("2025/10/3 \u5348\u5f8c9\u664205\u5206", "2025-10-03T21:05:00Z"),
        ("2025/10/3 \u5348\u5f8c0:05", "2025-10-03T12:05:00Z"),
        ("2025/10/3 \u5348\u524d12:05", None),  # noon to some, midnight to others
        ("2025/10/3 \u4e0b\u534813:05", None),
        ("2025.10.1.5", None),
        ("20251003 09:05:00", "2025-10-03T09:05:00Z"),
        ("03102025 09:05:00", None),
        ("03-OCT-2025 09.05.00 PM", "2025-10-03T21:05:00Z"),
        ("1er octobre 2025", "2025-10-01T23:59:59.999999Z"),
        ("1\u00ba de outubro de 2025", "2025-10-01T23:59:59.999999Z"),
        (
            "3 \u043e\u043a\u0442\u044f\u0431\u0440\u044f 2025 \u0433., 09:05",
            "2025-10-03T09:05:00Z",
        ),
        ("3 \u043e\u043a\u0442 2025", "2025-10-03T23:59:59.999999Z"),
        ("\u4ee4\u548c7\u5e7410\u67083\u65e5", None),  # the year of an emperor
        ("2025-10-03 09:05 Uhr", "2025-10-03T09:05:00Z"),
        ("le 3 octobre 2025 \u00e0 09h05", "2025-10-03T09:05:00Z"),
        ("3. Oktober 2025 um 09:05 Uhr", "2025-10-03T09:05:00Z"),
        ("2025-10-03 9:05 p. m.", "2025-10-03T21:05:00Z"),
    ],
)
def test_moments_when_a_text_can_mean_one_moment_only_then_it_is_read_unasked(text, read):
    assert moment(text) == read


@pytest.mark.parametrize(
    ("text", "zone", "read"),
    [
        ("2025-10-03 09:05 (UTC)", "Europe/Berlin", "2025-10-03T09:05:00Z"),
        ("2025-10-03 11:05:00 CEST", "Europe/Berlin", "2025-10-03T09:05:00Z"),
        ("2025-10-26 02:30 CEST", "Europe/Berlin", "2025-10-26T00:30:00Z"),  # shown twice
        ("2025-10-26 02:30 CET", "Europe/Berlin", "2025-10-26T01:30:00Z"),
        ("2025-07-03 10:05 MEZ", "Europe/Berlin", "2025-07-03T09:05:00Z"),
        ("2025-10-03 5:05 AM EDT", "America/New_York", "2025-10-03T09:05:00Z"),
        ("2025-10-03 05:05 PDT", "America/New_York", None),
        ("2025-10-03 24:00", "Europe/Berlin", "2025-10-03T22:00:00Z"),
    ],
)
def test_moments_when_a_text_names_a_zone_then_that_zone_counts_or_it_is_not_read(text, zone, read):
    assert moment(text, zone) == read


@pytest.mark.parametrize(
    ("text", "dates", "read"),
    [
        ("45933.37847", "excel", "2025-10-03T09:05:00Z"),
        ("45933,37847", "excel", "2025-10-03T09:05:00Z"),
        ("45933", "excel", "2025-10-03T23:59:59.999999Z"),
        ("2025-10-03", "excel", "2025-10-03T23:59:59.999999Z"),
        ("0", "excel", None),
        ("999999", "excel", None),
        ("1759482300", "epoch_s", "2025-10-03T09:05:00Z"),
        ("1759482300.25", "epoch_s", "2025-10-03T09:05:00.250000Z"),
        ("1759482300,25", "epoch_s", "2025-10-03T09:05:00.250000Z"),
        (
            "\uff11\uff17\uff15\uff19\uff14\uff18\uff12\uff13\uff10\uff10",
            "epoch_s",
            "2025-10-03T09:05:00Z",
        ),
        ("1759482300000.0", "epoch_ms", "2025-10-03T09:05:00Z"),
        ("1759482300123456789", "epoch_ns", "2025-10-03T09:05:00.123456Z"),
        ("1759482300123456789.0", "epoch_ns", "2025-10-03T09:05:00.123456Z"),
        ("9999999999999999999", "epoch_ns", None),
        ("99999999999999999999", "epoch_ns", None),
        ("1759482300123456789", "epoch_us", None),
        ("2025-10-03", "epoch_ns", "2025-10-03T23:59:59.999999Z"),
        ("-86400", "epoch_s", "1969-12-31T00:00:00Z"),
        ("1759482300000", "epoch_s", "2025-10-03T09:05:00Z"),  # milliseconds all the same
        ("946684800000", "epoch_ms", "2000-01-01T00:00:00Z"),
        ("1759482300000000", "epoch_us", "2025-10-03T09:05:00Z"),
        ("1.75948E+12", "epoch_ms", None),  # rounded
        ("1759482300", "epoch_ms", None),  # seconds: not January 1970
        ("1759482300", "epoch_ns", None),
        ("0", "epoch_s", None),  # no date
        ("0", "epoch_ms", None),
        ("03.10.25 09:05", "%d.%m.%y %H:%M", "2025-10-03T09:05:00Z"),
        ("03.10.25", "%d.%m.%y", "2025-10-03T23:59:59.999999Z"),
        ("20251003", "%Y%m%d", "2025-10-03T23:59:59.999999Z"),
        ("2025-10-03", "%d.%m.%y", "2025-10-03T23:59:59.999999Z"),
        ("2025-10-03", "%Y-%d-%m", "2025-03-10T23:59:59.999999Z"),
        ("2025-03-10T00:00", "%Y-%d-%m", None),
        ("03-Oct-25", "dmy", "2025-10-03T23:59:59.999999Z"),
        ("25-Oct-03", "ymd", "2025-10-03T23:59:59.999999Z"),
        ("03-OCT-25 09.05.00.000000 PM", "dmy", "2025-10-03T21:05:00Z"),  # of Oracle
        ("03-OCT-25 09.05.00.000000 PM +02:00", "dmy", "2025-10-03T19:05:00Z"),
        ("03-OCT-25 12.05.00.000000 AM", "dmy", "2025-10-03T00:05:00Z"),
        ("03.10.25 9.05 PM", "dmy", "2025-10-03T21:05:00Z"),
    ],
)
def test_moments_when_the_settings_state_a_form_then_it_is_read(text, dates, read):
    assert moment(text, dates=dates) == read


def test_moments_when_the_form_has_no_zone_then_they_are_local():
    assert moment("45933.37847", "Europe/Berlin", "excel") == "2025-10-03T07:05:00Z"
    assert moment("03.10.25 09:05", "Europe/Berlin", "%d.%m.%y %H:%M") == "2025-10-03T07:05:00Z"
    assert moment("1759482300", "Europe/Berlin", "epoch_s") == "2025-10-03T09:05:00Z"


@pytest.mark.parametrize(
    ("texts", "dates", "line"),
    [
        (["1759482300", "1759482301"], None, 'dates = "epoch_s"'),
        (["959482300000", "989482300000"], None, 'dates = "epoch_ms"'),
        (["1759482300000000"], None, 'dates = "epoch_us"'),
        (["1759482300.123", "1759482301.5"], None, 'dates = "epoch_s"'),
        (["1759482300000000000", "1759482300123456789"], None, 'dates = "epoch_ns"'),
        (["1759482300000000.0"], None, 'dates = "epoch_us"'),
        (["\uff10\uff13/\uff11\uff10/\uff12\uff15"], None, 'dates = "dmy"'),
        (["45933.37847", "45934"], None, 'dates = "excel"'),
        (["20251003"], None, 'dates = "%Y%m%d"'),
        (["202510030905"], None, 'dates = "%Y%m%d%H%M"'),
        (["20251003090500"], None, 'dates = "%Y%m%d%H%M%S"'),
        (["03-Oct-25"], None, 'dates = "dmy"'),
        (["3/10/25"], None, 'dates = "dmy"'),
        (
            ["2025-10-03 09:05 PST", "2025-10-03 9:05 PM PDT"],
            None,
            'timezone = "America/Los_Angeles"',
        ),
        (["10/3/2025 09:05 AM (CEST)"], "mdy", 'timezone = "Europe/Berlin"'),
        (["25.10.2025 at noon"], "dmy", None),
        (["25.10.2025"], "mdy", "1 of its values can only have the day first"),
        (["1759482300000000"], "epoch_ms", 'dates = "epoch_us"'),
        (["1759482300"], "epoch_ms", 'dates = "epoch_s"'),
        (["00123", "junk"], None, None),
        (["junk"], None, None),
    ],
)
def test_question_when_dates_cannot_be_read_then_it_names_the_setting_that_reads_them(
    texts, dates, line
):
    question = ask_about(column(texts), dates)
    assert (question is None) if line is None else line in question


def test_bare_dates_when_there_is_no_time_then_they_are_marked():
    texts = ["2025-10-03", "2025-10-03 09:05", "Oct 3, 2025", "Oct 3, 2025 9:05", "", "junk"]
    bare = [True, False, True, False, False, False]
    assert find_bare_dates(column(texts), dates=None).tolist() == bare
    assert find_bare_dates(column(["45933", "45933.5"]), dates="excel").tolist() == [True, False]


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.datetimes(datetime.fromisoformat("1900-02-01"), datetime.fromisoformat("2199-12-01")),
    st.sampled_from(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f", "%d/%m/%Y %I:%M %p", "%d.%m.%Y %H:%M:%S",
                     "%Y-%m-%d %H:%M:%S+0000"]),
    st.lists(st.sampled_from(["", "junk", "2024-05-31", "1.1.2024", "9" * 20]), max_size=3),
)  # fmt: skip
def test_moments_when_python_writes_one_among_others_then_it_is_read_back(shown, form, others):
    text = shown.strftime(form)
    us, ok = read_moments(column([*others, text]), zone="UTC", dates="dmy")
    assert ok[-1]
    assert utc(us[-1]) == utc(
        (
            datetime.strptime(text.replace("Z", ""), form.replace("Z", "")).replace(tzinfo=UTC)
            - EPOCH
        )
        // timedelta(microseconds=1)
    )


def test_moments_when_the_column_is_a_slice_then_its_own_rows_are_read():
    whole = column(["2024-05-31", "2024-06-01", "junk", "2024-06-02T00:00:00Z"])
    for begin in range(4):
        us, ok = read_moments(whole.slice(begin), zone="UTC", dates=None)
        expected = read_moments(column(whole.to_pylist()[begin:]), zone="UTC", dates=None)
        assert (us.tolist(), ok.tolist()) == (expected[0].tolist(), expected[1].tolist())


STAMPS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).flatmap(  # noqa: DTZ001
    lambda moment: st.sampled_from(
        [
            f"{moment:%Y}".zfill(4) + f"{moment:-%m-%d %H:%M:%S}",
            moment.isoformat(timespec="seconds") + "Z",
            moment.isoformat(sep=" ", timespec="microseconds") + "Z",
            moment.isoformat(timespec="milliseconds"),
        ]
    )
)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(STAMPS | st.just(""), min_size=1, max_size=8),
    st.sampled_from(["", "2024-13-01 00:00:00", "2024-02-30T10:00:00Z", "2024-05-31 24:00:00", "2024-05-31"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
)  # fmt: skip
def test_moments_when_a_long_column_is_read_then_each_is_read_as_by_itself(texts, odd, zone):
    values = [*texts * FEW, odd]
    us, ok = read_moments(column(values), zone=zone, dates=None)
    for text, of_column in zip([*texts, odd], [*range(len(texts)), -1], strict=True):
        alone, can = read_moments(column([text]), zone=zone, dates=None)
        assert (us[of_column], ok[of_column]) == (alone[0], can[0])
