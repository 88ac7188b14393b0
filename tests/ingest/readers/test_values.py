from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest

from leadscore.ingest.readers.values import format_values


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (["00012", "12", " 7 ", "", None, "NA", "null", "nan", "1e3"], pa.string(),
         ["00012", "12", " 7 ", "", "", "NA", "null", "nan", "1e3"]),
        (["x", None], pa.large_string(), ["x", ""]),
        (["x", None, "x"], pa.dictionary(pa.int32(), pa.string()), ["x", "", "x"]),
        ([12, None, -3, 2**62 + 1], pa.int64(), ["12", "", "-3", "4611686018427387905"]),
        ([12, None], pa.int32(), ["12", ""]),
        ([2**63 + 1], pa.uint64(), ["9223372036854775809"]),
        ([12.0, 12.5, None, float("nan"), -3.0, 0.0, 1e15], pa.float64(),
         ["12", "12.5", "", "", "-3", "0", "1000000000000000"]),
        ([4000000000180000001.0, 2.0**53 + 2, 1.0, None], pa.float64(),  # only the first lost digits
         ["4.0000000001800003E+18", "9007199254740994", "1", ""]),
        ([12.0, 0.5, None], pa.float32(), ["12", "0.5", ""]),
        ([Decimal("12.50"), None], pa.decimal128(10, 2), ["12.50", ""]),
        ([None, None], pa.null(), ["", ""]),
        ([Decimal("0"), Decimal("0.0000000012"), None], pa.decimal128(20, 10),
         ["0.0000000000", "0.0000000012", ""]),
        ([Decimal("1200")], pa.decimal256(40, -2), ["1200"]),
        ([0.1, 3.4e38, None], pa.float32(), ["0.1", "3.4e+38", ""]),
        ([0.5, 2.0], pa.float16(), ["0.5", "2"]),
        ([-0.0, -0.5], pa.float64(), ["0", "-0.5"]),
        ([True, False, None], pa.bool_(), ["true", "false", ""]),
        ([b"00012", None], pa.binary(), ["00012", ""]),
        ([date(2024, 5, 31), None], pa.date32(), ["2024-05-31", ""]),
        ([date(2024, 5, 31), None], pa.date64(), ["2024-05-31", ""]),
        ([datetime(2024, 5, 31, 14, tzinfo=UTC), None], pa.timestamp("us"), ["2024-05-31T14:00:00", ""]),
        ([datetime(2024, 5, 31, tzinfo=UTC), datetime(2024, 5, 31, 14, 0, 10, 50, tzinfo=UTC)], pa.timestamp("us"),
         ["2024-05-31T00:00:00", "2024-05-31T14:00:10.000050"]),
        ([datetime(2024, 5, 31, 14, tzinfo=UTC)], pa.timestamp("s", "UTC"), ["2024-05-31T14:00:00Z"]),
        ([datetime(2024, 5, 31, 14, tzinfo=UTC)], pa.timestamp("ns", "Asia/Tokyo"), ["2024-05-31T14:00:00Z"]),
        ([1], pa.timestamp("ns"), ["1970-01-01T00:00:00.000000001"]),
        ([time(14, 5), None], pa.time32("s"), ["14:05:00", ""]),
        ([90_000, 500, 0, -90_000, -1, None], pa.duration("ms"),
         ["PT90S", "PT0.500000S", "PT0S", "-PT90S", "-PT0.001000S", ""]),
        ([90, None], pa.duration("s"), ["PT90S", ""]),
        ([90_000_000_001], pa.duration("ns"), ["PT90S"]),
    ],
    ids=str,
)  # fmt: skip
def test_text_when_a_column_is_typed_then_ids_look_as_they_did_in_the_source(values, kind, texts):
    assert format_values(pa.array(values, kind)).tolist() == texts


@pytest.mark.parametrize(
    "value", [1e19, -1e19, 1e300, float("inf"), -float("inf"), 0.1, 1e-7, 2.0**53 + 2]
)
def test_text_when_a_float_is_extreme_then_it_is_still_that_number(value):
    text = format_values(pa.array([value, 1.0], pa.float64())).tolist()
    assert (float(text[0]), text[1]) == (value, "1")


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1]]),
        pa.array([{"a": 1}]),
        pa.array([b"\xff"]),
        pa.array([b"\xff"]).view(pa.string()),
    ],
    ids=lambda values: str(values.type),
)
def test_text_when_values_have_none_then_arrow_says_so(values):
    with pytest.raises(pa.ArrowException):
        format_values(values)
