import csv
import io
from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.publish.csv_text import write_header, write_rows

ROW = st.fixed_dictionaries(
    {
        "text": st.none() | st.text(),
        "number": st.none() | st.floats(allow_nan=False),
        "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
        "flag": st.none() | st.booleans(),
        "moment": st.none() | st.datetimes(timezones=st.just(UTC)),
        "share": st.none() | st.floats(0, 1),
        "money": st.none() | st.integers(-(10**7), 10**7).map(lambda cents: cents / 100),
    }
)
SCHEMA = pa.schema(
    {
        "text": pa.string(),
        "number": pa.float64(),
        "whole": pa.int64(),
        "flag": pa.bool_(),
        "moment": pa.timestamp("us", tz="UTC"),
        "share": pa.float64(),
        "money": pa.float64(),
    }
)


def write_by_arrow(rows):
    file = io.BytesIO()
    write_header(SCHEMA, file)
    write_rows(pa.Table.from_pylist(rows, schema=SCHEMA), file)
    return file.getvalue()


def write_by_python(rows):
    """What the standard library's writer makes of the same rows, cell by cell."""
    text = io.StringIO()
    text.write(",".join(SCHEMA.names) + "\n")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([[as_cell(row[name]) for name in SCHEMA.names] for row in rows])
    return text.getvalue().encode()


def as_cell(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value


@settings(deadline=None)
@given(st.lists(ROW, max_size=6))
def test_csv_when_beside_the_standard_library_then_has_the_same_bytes(rows):
    assert write_by_arrow(rows) == write_by_python(rows)


def test_csv_when_written_in_several_batches_then_is_in_order(monkeypatch):
    monkeypatch.setattr("leadscore.publish.csv_text.ROWS", 2)
    rows = [dict.fromkeys(SCHEMA.names) | {"text": f"r{i}", "number": i / 4} for i in range(5)]
    assert write_by_arrow(rows) == write_by_python(rows)
