"""Rows taken of a matrix, keys in memory of their own, and numbers in few bytes."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.engine.duckdb import DuckDBEngine
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.features.matrix import Matrix, Named, Taken, copy_keys
from leadscore.features.narrow import Narrow
from leadscore.settings.engine import EngineSettings

ROWS = 12
NUMBERS = st.one_of(st.integers(-5, 5).map(float), st.floats(allow_nan=False), st.just(np.nan))
PLACES = st.lists(st.integers(0, ROWS - 1), max_size=20)


def made_matrix():
    keys = pd.DataFrame({"lead_id": [f"{i:02d}" for i in range(ROWS)], "as_of_us": range(ROWS)})
    numbers = np.where(np.arange(ROWS) % 5 == 0, np.nan, np.arange(ROWS) / 3)
    texts = np.array([None, "north", "south"] * (ROWS // 3), dtype=object)
    return Matrix(keys, {"number": numbers, "text": texts}, lead_keys=(texts,))


@given(PLACES, st.data())
def test_rows_when_taken_of_taken_rows_then_are_those_of_the_matrix(first, data):
    places = st.lists(st.integers(0, len(first) - 1), max_size=20) if first else st.just([])
    second = data.draw(places)
    matrix = made_matrix()
    taken = matrix.rows(np.array(first, dtype=int)).rows(np.array(second, dtype=int))

    at = np.array(first, dtype=int)[np.array(second, dtype=int)]
    assert taken.keys["lead_id"].tolist() == matrix.keys["lead_id"].to_numpy()[at].tolist()
    assert list(taken.columns) == list(matrix.columns)
    for name, values in matrix.columns.items():
        assert taken.columns[name].dtype == values.dtype
        pd.testing.assert_series_equal(pd.Series(taken.columns[name]), pd.Series(values[at]))


def test_rows_when_a_taken_column_is_written_to_then_leave_the_matrix_as_it_is():
    matrix = made_matrix()
    taken = matrix.rows(np.arange(ROWS))
    taken.columns["number"][:] = 7.0
    assert matrix.columns["number"][1] == 1 / 3


def test_columns_when_named_then_are_these_alone_in_the_order_of_the_names():
    matrix = made_matrix()
    named = Named(matrix.columns, ("text",))
    assert dict(named).keys() == {"text"}
    assert named["text"] is matrix.columns["text"]
    with pytest.raises(KeyError, match="number"):
        named["number"]


def test_keys_when_copied_from_rows_of_duckdb_then_keep_none_of_their_memory():
    engine = DuckDBEngine(EngineSettings())
    table = engine.query("SELECT 'lead' || i AS lead_id, i AS as_of_us FROM range(5) AS r(i)")
    keys = copy_keys(table)
    copied = pa.Table.from_pandas(keys, preserve_index=False)
    assert copied.to_pydict() == table.to_pydict()
    assert addresses(copied).isdisjoint(addresses(table))


@given(st.lists(st.lists(NUMBERS, max_size=5), max_size=4))
def test_numbers_when_filled_part_by_part_then_are_read_as_they_were_written(parts):
    rows = sum(len(part) for part in parts)
    columns = Narrow.allocate([Feature("number", {}, Learned(), "number", "number")], rows=rows)
    begin = 0
    for part in parts:
        columns.fill("number", begin, np.array(part, dtype=float))
        begin += len(part)
    written = np.array([number for part in parts for number in part], dtype=float)
    assert columns["number"].tobytes() == written.tobytes()


@given(PLACES)
def test_numbers_in_few_bytes_when_taken_then_are_those_of_the_column(places):
    feature = Feature("number", {}, Learned(), "number", "number")
    columns = Narrow.allocate([feature], rows=ROWS)
    columns.fill("number", 0, np.arange(ROWS) / 2)
    at = np.array(places, dtype=int)
    taken = Taken.of(columns, at)["number"]
    assert taken.dtype == np.float64
    assert taken.tolist() == columns["number"][at].tolist()


@pytest.mark.parametrize(
    ("values", "bytes_each"),
    [([1.0, np.nan, 2.0**24], 4), ([1.0, 2.0**24 + 1], 8), ([0.1], 8), ([1e300], 8), ([0.5], 4)],
)
def test_numbers_when_float32_holds_them_all_then_take_half_the_memory(values, bytes_each):
    feature = Feature("number", {}, Learned(), "number", "number")
    columns = Narrow.allocate([feature], rows=len(values))
    columns.fill("number", 0, np.array(values))
    assert columns.stored["number"].itemsize == bytes_each
    assert columns["number"].dtype == np.float64


def addresses(table):
    buffers = [
        buffer
        for column in table.columns
        for chunk in column.chunks
        for buffer in chunk.buffers()
        if buffer is not None
    ]
    return {buffer.address for buffer in buffers}
