from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.ingest.values import read_moments, read_number, read_text, within_reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_US = 60_000_000


def column(values: list) -> pd.Series:
    return pd.Series(values, dtype="str")


def typed(values: list, kind: pa.DataType | None = None) -> pd.Series:
    """A column as it comes out of a Parquet file."""
    return pa.table({"x": pa.array(values, kind)}).to_pandas(types_mapper=pd.ArrowDtype)["x"]


def moment(text: str, zone: str = "UTC") -> str | None:
    """How one text is read, as UTC; None if it is refused."""
    us, ok = read_moments(column([text]), zone=zone)
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
        ("2018-11-03", "America/Sao_Paulo", "2018-11-04T02:59:59.999999Z"),  # the next day begins at 01:00
        ("2018-11-03", "America/Havana", "2018-11-04T03:59:59.999999Z"),  # the next day's 00:00 comes twice
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
        ("2024-03-31T02:30", "Europe/Berlin", "2024-03-31T01:00:00Z"),  # is skipped: the first after
        ("2018-11-04T00:00", "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        # fractions, cut to microseconds
        ("2024-05-31T14:00:00.5", "UTC", "2024-05-31T14:00:00.500000Z"),
        ("2024-05-31T14:00:00.123", "UTC", "2024-05-31T14:00:00.123000Z"),
        ("2024-05-31T14:00:00.123456Z", "UTC", "2024-05-31T14:00:00.123456Z"),
        ("2024-05-31T14:00:00.1234567Z", "UTC", "2024-05-31T14:00:00.123456Z"),
        ("2024-05-31T14:00:00.999999999", "UTC", "2024-05-31T14:00:00.999999Z"),
        ("1969-12-31T23:59:59.999999", "UTC", "1969-12-31T23:59:59.999999Z"),
        # around blanks
        (" 2024-05-31 ", "UTC", "2024-05-31T23:59:59.999999Z"),
    ],
)
def test_moments_when_text_is_a_date_or_a_time_then_it_is_read_exactly(text, zone, read):
    assert moment(text, zone) == read


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "junk", "null", "0", "20240531", "1717156800", "31.05.2024", "05/31/2024", "2024-5-31", "2024-02-30",
        "2023-02-29", "2024-13-01", "2024-00-10", "0000-00-00", "2024-05-31T", "2024-05-31T24:30", "2024-05-31T14",
        "2024-05-31T14:60", "2024-05-31T14:00:61", "2024-05-31T14:00:00+25:00", "2024-05-31Tjunk+01:00", "14:00",
        "2024-05-31T1junkZ", "2024-05-31 14:00 Uhr", "2024-05-31\n2024-05-31", "-2024-05-31", "2024-05-31 2 PM",
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
    us, ok = read_moments(column(["2024-05-31", text]), zone=zone)
    assert ok[0]
    assert not (ok & within_reason(us))[1]


@pytest.mark.parametrize("text", ["1900-01-03", "1969-12-31", "1970-01-01", "2024-05-31", "2199-12-30"])
def test_moments_when_a_date_lies_within_three_centuries_then_it_is_within_reason(text):
    us, ok = read_moments(column([text]), zone="UTC")
    assert (ok & within_reason(us)).all()


def test_moments_when_forms_are_mixed_then_each_row_is_read_by_itself():
    texts = ["2024-05-31", "junk", "2024-05-31T14:00:00.123456789Z", "", "2024-05-31T14:00", "1500-01-01T00:00:00Z"]
    us, ok = read_moments(column(texts), zone="Europe/Berlin")
    assert ok[:5].tolist() == [True, False, True, False, True]
    assert [utc(u) for u in us[[0, 2, 4]]] == [
        "2024-05-31T21:59:59.999999Z", "2024-05-31T14:00:00.123456Z", "2024-05-31T12:00:00Z",
    ]  # fmt: skip


def test_moments_when_there_are_no_rows_then_none_come_back():
    us, ok = read_moments(column([]), zone="Europe/Berlin")
    assert (len(us), len(ok)) == (0, 0)


@cache
def wall_clock(day: date, zone: str) -> list[tuple[datetime, int]]:
    """(what a wall clock shows, UTC microseconds) at every minute of the days before, of and after `day`."""
    begin = datetime.combine(day, time(), UTC) - timedelta(hours=40)
    moments = [begin + timedelta(minutes=n) for n in range(104 * 60)]
    tz = ZoneInfo(zone)
    return [(m.astimezone(tz).replace(tzinfo=None), (m - EPOCH) // timedelta(microseconds=1)) for m in moments]


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
    us, ok = read_moments(column([shown.isoformat(sep=" ")]), zone=zone)
    assert ok[0]
    assert utc(us[0]) == utc(expected)


@pytest.mark.parametrize("shift", [-1, 0, 1])
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_date_when_a_wall_clock_is_asked_then_the_last_microsecond_that_shows_that_day_is_read(zone, day, shift):
    stated = day + timedelta(days=shift)
    during = [us for local, us in wall_clock(day, zone) if local.date() == stated]
    us, ok = read_moments(column([stated.isoformat()]), zone=zone)
    assert ok[0]
    assert utc(us[0]) == utc(max(during) + MINUTE_US - 1)


NAIVE = [datetime.fromisoformat(f"2024-{text}") for text in ("05-31T14:00:00.123456", "03-31T02:30", "10-27T02:30")]
AWARE = [value.replace(tzinfo=UTC) for value in NAIVE]


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (NAIVE, pa.timestamp("us"), [f"{value}" for value in NAIVE]),
        (NAIVE, pa.timestamp("ns"), [f"{value}" for value in NAIVE]),
        (NAIVE[1:], pa.timestamp("ms"), [f"{value}" for value in NAIVE[1:]]),
        (NAIVE[1:], pa.timestamp("s"), [f"{value}" for value in NAIVE[1:]]),
        (AWARE, pa.timestamp("us", "UTC"), [f"{value}" for value in AWARE]),
        (AWARE, pa.timestamp("us", "Asia/Tokyo"), [f"{value}" for value in AWARE]),
        (AWARE, pa.timestamp("ns", "Europe/Berlin"), [f"{value}" for value in AWARE]),
        (AWARE[1:], pa.timestamp("ms", "+02:00"), [f"{value}" for value in AWARE[1:]]),
        ([date(2024, 5, 31), date(2018, 11, 3)], pa.date32(), ["2024-05-31", "2018-11-03"]),
        ([date(2024, 5, 31), date(2018, 11, 3)], pa.date64(), ["2024-05-31", "2018-11-03"]),
        (["2024-05-31", "2024-05-31T14:00Z"], pa.string(), ["2024-05-31", "2024-05-31T14:00Z"]),
        (["2024-05-31", "2024-05-31T14:00Z"], pa.large_string(), ["2024-05-31", "2024-05-31T14:00Z"]),
        (["2024-05-31", "2024-06-30"], pa.dictionary(pa.int32(), pa.string()), ["2024-05-31", "2024-06-30"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Sao_Paulo"])
def test_moments_when_a_column_is_typed_then_they_agree_with_its_text_and_nulls_are_marked(values, kind, texts, zone):
    us, ok = read_moments(typed([*values, None], kind), zone=zone)
    expected, _ = read_moments(column([*texts, ""]), zone=zone)
    assert ok.tolist() == [True] * len(values) + [False]
    assert [utc(u) for u in us[:-1]] == [utc(u) for u in expected[:-1]]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1], pa.int64()),
        ([1.5], pa.float64()),
        ([True], pa.bool_()),
        ([None], pa.null()),
        ([253_402_300_800_000], pa.timestamp("ms")),  # the year 10000
        ([253_402_300_800_000], pa.timestamp("ms", "UTC")),
    ],
    ids=str,
)
def test_moments_when_a_typed_column_holds_no_sensible_time_then_it_is_refused_and_not_raised(values, kind):
    us, ok = read_moments(typed(values, kind), zone="Europe/Berlin")
    assert not (ok & within_reason(us)).any()


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (["00012", "12", " 7 ", "", None, "NA", "null", "nan", "1e3"], pa.string(),
         ["00012", "12", "7", "", "", "NA", "null", "nan", "1e3"]),
        (["x", None], pa.large_string(), ["x", ""]),
        (["x", None, "x"], pa.dictionary(pa.int32(), pa.string()), ["x", "", "x"]),
        ([12, None, -3, 2**62 + 1], pa.int64(), ["12", "", "-3", "4611686018427387905"]),
        ([12, None], pa.int32(), ["12", ""]),
        ([2**63 + 1], pa.uint64(), ["9223372036854775809"]),
        ([12.0, 12.5, None, float("nan"), -3.0, 0.0, 1e15], pa.float64(),
         ["12", "12.5", "", "", "-3", "0", "1000000000000000"]),
        ([12.0, 0.5, None], pa.float32(), ["12", "0.5", ""]),
        ([Decimal("12.50"), None], pa.decimal128(10, 2), ["12.50", ""]),
        ([None, None], pa.null(), ["", ""]),
        ([date(2024, 5, 31), None], pa.date32(), ["2024-05-31", ""]),
    ],
    ids=str,
)  # fmt: skip
def test_text_when_a_column_is_typed_then_ids_look_as_they_did_in_the_source(values, kind, texts):
    assert read_text(typed(values, kind)).tolist() == texts


@pytest.mark.parametrize("value", [1e19, -1e19, 1e300, float("inf"), -float("inf"), 0.1, 1e-7, 2.0**53 + 2])
def test_text_when_a_float_is_extreme_then_it_is_still_that_number(value):
    text = read_text(typed([value, 1.0], pa.float64())).tolist()
    assert (float(text[0]), text[1]) == (value, "1")


@pytest.mark.parametrize("values", [[12.0, 12.5, None], [12.0, float("nan")], [None, 3.0]])
def test_text_when_floats_are_numpys_then_they_read_like_parquets(values):
    assert read_text(pd.Series(values, dtype="float64")).tolist() == read_text(typed(values, pa.float64())).tolist()


@pytest.mark.parametrize(
    ("text", "decimals", "number"),
    [
        ("12", 2, 1200), ("12.5", 2, 1250), ("-12.34", 2, -1234), ("+7", 2, 700), ("0", 2, 0), ("-0", 2, 0),
        ("0.29", 2, 29), ("1.1", 2, 110), ("4.35", 2, 435), ("1e3", 2, 100_000), ("1.5E-1", 2, 15), ("007", 0, 7),
        ("0.005", 2, 0), ("0.015", 2, 2), ("0.025", 2, 2), ("0.0251", 2, 3), ("2.5", 0, 2), ("3.5", 0, 4),
        ("-2.5", 0, -2), ("0.125", 2, 12), ("0.375", 2, 38), ("1.015", 2, 102), ("0.575", 2, 58), ("0.285", 2, 28),
        ("123.456789", 9, 123_456_789_000), ("70368744177664.01", 2, 7_036_874_417_766_401),
        ("9007199254740991", 0, 2**53 - 1), ("-9007199254740991", 0, 1 - 2**53),
    ],
)  # fmt: skip
def test_number_when_it_is_written_in_decimals_then_it_is_read_in_minor_units(text, decimals, number):
    values, ok = read_number(column([text]), decimals=decimals)
    assert (values[0], ok[0]) == (number, True)


@pytest.mark.parametrize(
    "text",
    ["", "junk", "1,5", "1.000,00", "1,000.00", "5.", ".5", "$5", "5 EUR", "1 000", "0x10", "1_000", "nan", "inf",
     "-inf", "--5", "1e", "1e999", "1e99", "9007199254740992", "99999999999999999999999", "NA", "True",
     "\u0663", "\uff11"],  # digits, but of other scripts
)  # fmt: skip
@pytest.mark.parametrize("decimals", [0, 2])
def test_number_when_text_is_none_or_too_large_to_be_exact_then_it_is_marked(text, decimals):
    values, ok = read_number(column([text, "1"]), decimals=decimals)
    assert ok.tolist() == [False, True]
    assert values[1] == 10**decimals


@settings(derandomize=True, deadline=None, max_examples=400)
@given(
    st.integers(-(2**53), 2**53),
    st.sampled_from([0, 2, 9]),
    st.sampled_from(["", "0", "4", "49", "4999999", "5", "50", "5000001", "51", "9"]),
)
def test_number_when_it_is_within_the_limit_then_it_is_what_decimal_arithmetic_gives(minor, decimals, more):
    shown = f"{Decimal(minor).scaleb(-decimals):f}"
    text = shown + ("." if more and not decimals else "") + more
    exact = Decimal(text).scaleb(decimals).quantize(Decimal(1), ROUND_HALF_EVEN)
    values, ok = read_number(column([text]), decimals=decimals)
    assert ok[0] == (abs(exact) < 2**53)
    assert values[0] == (int(exact) if ok[0] else 0)
