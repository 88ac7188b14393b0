"""Where the header of a text file is, if lines such as the title of a report stand above it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from leadscore.ingest.readers.batch import HEADER_ROWS
from leadscore.ingest.readers.dialect import DELIMITERS
from leadscore.ingest.readers.rows import RowsOfFile

LOOKED_AT = 1 << 18  # bytes
LEAST_COLUMNS = 3


def find_header_row(rows: RowsOfFile) -> int | None:
    """The line of the header, or None if it is the first, or the file is no text.

    It is the first row as wide as most rows are, all its values filled, below rows that are at most
    half as wide.
    """
    dialect = rows.dialect()
    if dialect is None or rows.file.path.name.lower().endswith(".gz"):
        return None
    with rows.file.path.open("rb") as file:
        text = file.read(LOOKED_AT).decode(dialect.encoding, errors="replace")
    lines = [_find_in(text, delimiter) for delimiter in DELIMITERS]
    return next((line for line in lines if line is not None), None)


def _find_in(text: str, delimiter: str) -> int | None:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    rows: list[tuple[int, list[str]]] = []
    for row in reader:
        rows.append((line, row))
        line = reader.line_num + 1
    filled = [(line, row) for line, row in rows if any(row)]
    width = _usual_width([row for _, row in filled])
    if width < LEAST_COLUMNS:
        return None
    for place, (line, row) in enumerate(filled[: HEADER_ROWS + 1]):
        if len(row) == width and all(row):
            return line if place else None
        if sum(map(bool, row)) > width / 2:
            return None
    return None


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    widths = Counter(len(row) for row in rows)
    ((width, _),) = widths.most_common(1) or [(0, 0)]
    return width
