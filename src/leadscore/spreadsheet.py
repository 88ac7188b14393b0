"""CSV files for people, who open them with a spreadsheet: no cell of them is run as a formula."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from leadscore.atomic import write_bytes
from leadscore.printable import printable

# how a cell begins that a spreadsheet runs, or that hides such a beginning; full-width signs are run, too
FORMULA = r"^[=+\-@\t\r\n\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
BREAKS = "\t\r\n"  # a cell may hold them
NUMBER = r"^-\d+([.,]\d+)*$"  # a plain negative number is none


def write_csv_for_people(path: Path, rows: pa.Table) -> None:
    """Write rows as CSV: comma, UTF-8, texts in quotes, an apostrophe before what would be run as a formula.

    A mark stands in place of characters that cannot be seen, such as those that turn the line round.
    """
    columns = [_neutralise(column) for column in rows.columns]
    sink = io.BytesIO()
    pa_csv.write_csv(pa.table(columns, names=rows.column_names), sink)
    write_bytes(path, sink.getvalue())


def _neutralise(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return column
    shown = [None if text is None else printable(text, keep=BREAKS) for text in column.to_pylist()]
    column = pa.chunked_array([pa.array(shown, column.type)])
    runs = pc.match_substring_regex(column, FORMULA)
    plain = pc.match_substring_regex(column, NUMBER)
    quoted = pc.binary_join_element_wise("'", column, "")
    return pc.if_else(pc.and_not(runs, plain), quoted, column)
