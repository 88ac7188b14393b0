"""CSV files that people open with a spreadsheet: no cell of them is run as a formula."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from leadscore.atomic import write_bytes
from leadscore.printable import printable

# Beginnings that a spreadsheet runs as a formula, full-width signs included, or that hide one.
FORMULA = r"^[=+\-@\t\r\n\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
NEGATIVE_NUMBER = r"^-\d+([.,]\d+)*$"  # is no formula
BREAKS = "\t\r\n"  # hidden characters that a cell may hold


def write_csv_for_people(path: Path, rows: pa.Table) -> None:
    """Write rows as CSV: comma, UTF-8, texts in quotes, an apostrophe before what would be a formula.

    U+FFFD stands in place of hidden characters, such as those that reverse the line.

    Raises:
        UnavailableError: the file cannot be written.
    """
    columns = [_neutralise(column) for column in rows.columns]
    sink = io.BytesIO()
    pa_csv.write_csv(pa.table(columns, names=rows.column_names), sink)
    write_bytes(path, sink.getvalue())


def _neutralise(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of text without hidden characters and formulas; any other column as it is."""
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if not is_text:
        return column
    texts = [_show(text) for text in column.to_pylist()]
    column = pa.chunked_array([pa.array(texts, column.type)])
    looks_like_formula = pc.match_substring_regex(column, FORMULA)
    is_number = pc.match_substring_regex(column, NEGATIVE_NUMBER)
    quoted = pc.binary_join_element_wise("'", column, "")
    return pc.if_else(pc.and_not(looks_like_formula, is_number), quoted, column)


def _show(text: str | None) -> str | None:
    return None if text is None else printable(text, keep=BREAKS)
