"""Weeks, months and quarters as a calendar has them."""

import itertools

import pytest

from leadscore.funnel.periods import list_periods
from leadscore.times import DAY_US, HOUR_US, parse_moment

CASES = [
    ("2026-02-17", "month", 3, "UTC", ["2026-02", "2026-03", "2026-04"], "2026-02-01"),
    ("2026-12-31T23:59", "month", 2, "UTC", ["2026-12", "2027-01"], "2026-12-01"),
    ("2026-03-01", "quarter", 2, "UTC", ["2026 Q1", "2026 Q2"], "2026-01-01"),
    ("2026-03-01", "week", 2, "UTC", ["week of 2026-02-23", "week of 2026-03-02"], "2026-02-23"),
    ("2026-03-01", "month", -2, "UTC", ["2026-01", "2026-02"], "2026-01-01"),
    ("2026-02-28T23:30", "month", 1, "Europe/Berlin", ["2026-03"], "2026-02-28T23:00"),
]


@pytest.mark.parametrize(("moment", "by", "count", "zone", "names", "start"), CASES)
def test_periods_when_asked_for_then_are_named_and_begin_at_local_midnight(
    moment, by, count, zone, names, start
):
    at = parse_moment(moment, zone="UTC")
    periods = list_periods(at, by=by, count=count, zone=zone)
    assert [period.name for period in periods] == names
    assert periods[0].start_us == parse_moment(start, zone="UTC")
    for earlier, later in itertools.pairwise(periods):
        assert earlier.end_us == later.start_us


def test_month_when_clocks_change_then_is_an_hour_shorter():
    at = parse_moment("2026-03-10", zone="UTC")
    (march,) = list_periods(at, by="month", count=1, zone="Europe/Berlin")
    assert march.end_us - march.start_us == 31 * DAY_US - HOUR_US
