"""Where the header of a file is, if lines such as the title of a report stand above it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from leadscore.ingest.readers.batch import HEADER_ROWS
from leadscore.ingest.readers.dialect import DELIMITERS
from leadscore.ingest.readers.rows import RowsOfFile
from leadscore.ingest.readers.workbook import read_first_rows

LOOKED_AT = 1 << 18  # bytes of a text file
LEAST_COLUMNS = 3
MOSTLY = 0.9

Rows = Sequence[tuple[int, Sequence[str]]]  # the number of each, and its values


def find_header_row(rows: RowsOfFile) -> int | None:
    """The line of the header, or None if it is the first, or nothing shows where it is.

    It is the first row at least as wide as most rows are, which may end before their last values, all
    its values filled, below rows of which less than half is filled.
    """
    places = [_find_in(table) for table in _tables(rows)]
    lower = [place for place in places if place is not None]
    return min(lower, default=0) or None


def is_table(rows: RowsOfFile) -> bool:
    """Whether nearly all rows of a text file have the same number of values, and several.

    Raises:
        SourceFormatError: it cannot be read.
    """
    return any(map(_is_even, _tables(rows)))


def _is_even(rows: Rows) -> bool:
    widths = Counter(len(row) for _, row in rows)
    for width, count in widths.most_common(1):
        return width >= LEAST_COLUMNS and 1 < count >= MOSTLY * len(rows)
    return False


def _tables(rows: RowsOfFile) -> Iterator[Rows]:
    """The first rows of a file, read in every way that it may be written."""
    if rows.file.path.name.lower().endswith(".xlsx"):
        yield read_first_rows(rows.file, rows.source)
        return
    dialect = rows.dialect()
    if dialect is None or rows.file.path.name.lower().endswith(".gz"):
        return
    with rows.file.path.open("rb") as file:
        text = file.read(LOOKED_AT).decode(dialect.encoding, errors="replace")
    if dialect.escapes_quotes:
        text = text.replace(f"\\{dialect.quote}", "")  # only where values end counts
    for delimiter in DELIMITERS:
        yield _split(text, delimiter)


def _split(text: str, delimiter: str) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    line = 1
    try:
        for row in reader:
            if any(row):
                rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error:  # a value that is too long, which whoever reads the file will meet
        return rows
    return rows


def _find_in(rows: Rows) -> int | None:
    """The number of the header's row, 0 for the first, None if the rows are no table."""
    widths = Counter(len(row) for _, row in rows)
    if not widths:
        return None
    ((width, _),) = widths.most_common(1)
    if width < LEAST_COLUMNS:
        return None
    for place, (number, row) in enumerate(rows[: HEADER_ROWS + 1]):
        if len(row) >= width and all(row):
            return number if place else 0
        if sum(map(bool, row)) > width / 2:
            return 0
    return None
