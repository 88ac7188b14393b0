"""Reads CSV text in batches, each row with the line it begins on.

Blocks whose line ends and quotes are sound are read by Arrow, many times faster than Python's csv module. From the
first block on where they are not, that module reads the rest of the file and says what is wrong: both give the same
rows, lines and refusals.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from leadscore.ingest.readers.batch import (
    BATCH_ROWS,
    Batch,
    Dialect,
    SourceFile,
    number_columns,
    pick_columns,
    trim_columns,
)
from leadscore.ingest.readers.csv_blocks import Shape, read_block
from leadscore.ingest.readers.dialect import csv_options
from leadscore.ingest.readers.text import read_text, split_lines

HEAD_BYTES = 1 << 20  # a header is shorter
DATA = re.compile(
    r"[+-]?\d[\d.,:/ TZ+-]*|.*@.*|[A-Za-z]{0,3}-?\d{3,}"
)  # numbers, moments, addresses and ids


def read_csv(file: SourceFile, *, columns: Sequence[str], dialect: Dialect) -> Iterator[Batch]:
    """The named columns of a text file, batch by batch.

    Raises:
        SourceFormatError: its quotes never close, it is not of its encoding, or its lines are too long.
        MissingColumnsError: it has not all the columns.
    """
    blocks = read_text(file, encoding=dialect.encoding)
    text = _read_head(blocks)
    first, size, lines = _read_first(file, text, dialect)
    if dialect.header:
        picks, text, line = _pick(file, first, columns, dialect), text[size:], 1 + lines
    else:
        picks, line = pick_columns(file, number_columns(len(first)), columns), 1
    shape = Shape(file, dialect, len(first), picks, list(columns))
    for block in chain((b"",), blocks):
        text += block
        found = read_block(text, line=line, shape=shape)
        if found is None:
            break
        if len(found.batch.lines) or found.batch.malformed:
            yield found.batch
        text, line = text[found.size :], line + found.lines
    yield from _read_carefully(
        chain((text,), blocks), line, shape
    )  # the rest, or a last line without an end


def read_csv_names(file: SourceFile, *, dialect: Dialect) -> list[str]:
    """The names of the columns of a text file."""
    first, _, _ = _read_first(file, _read_head(read_text(file, encoding=dialect.encoding)), dialect)
    return first if dialect.header else number_columns(len(first))


def _read_head(blocks: Iterator[bytes]) -> bytes:
    head = b""
    for block in blocks:
        head += block
        if len(head) >= HEAD_BYTES:
            break
    return head


def _read_first(file: SourceFile, head: bytes, dialect: Dialect) -> tuple[list[str], int, int]:
    """The first row, and how many bytes and lines it and the blank lines before it take."""
    lines: list[str] = []

    def noted() -> Iterator[str]:
        for line in split_lines(file, (head,), line=1):
            lines.append(line)
            yield line

    try:
        first = next((row for row in csv.reader(noted(), **csv_options(dialect)) if row), None)
    except csv.Error as e:
        raise file.refusal(
            f"cannot be read as CSV from line 1 on: {e}; does a quote never close?"
        ) from e
    if first is None:
        raise file.refusal("is empty")
    size = len("".join(lines).encode())
    if size >= HEAD_BYTES:
        raise file.refusal(f"has a first row of more than {HEAD_BYTES} bytes")
    return first, size, len(lines)


def _pick(
    file: SourceFile, header: list[str], columns: Sequence[str], dialect: Dialect
) -> list[int]:
    """Where the columns stand in the header; a first row that looks like data is told apart, and not shown."""
    if (
        columns
        and not set(columns) & set(header)
        and any(DATA.fullmatch(name.strip()) for name in header)
    ):
        raise file.refusal(
            f"has no column {columns[0]!r}, and numbers, dates or ids where names should be; "
            'if it has no header, set header = false for it and call its columns "1", "2", ...'
        )
    return pick_columns(file, header, columns, delimiter=dialect.delimiter)


def _read_carefully(blocks: Iterator[bytes], line: int, shape: Shape) -> Iterator[Batch]:
    """All rows of a text that begins with one on line `line`, read by Python's csv module."""
    reader = csv.reader(split_lines(shape.file, blocks, line=line), **csv_options(shape.dialect))
    rows: list[list[str]] = []
    lines: list[int] = []
    malformed: list[tuple[int, str]] = []
    begin = line
    try:
        for row in reader:
            if len(row) == shape.width:
                rows.append([row[i] for i in shape.picks])
                lines.append(begin)
            elif row:  # a blank line is no row
                malformed.append((begin, shape.malformed(len(row))))
            begin = line + reader.line_num
            if len(rows) + len(malformed) >= BATCH_ROWS:
                yield _batch(lines, rows, malformed, shape)
                rows, lines, malformed = [], [], []
    except csv.Error as e:
        raise shape.file.refusal(
            f"cannot be read as CSV from line {begin} on: {e}; does a quote never close?"
        ) from e
    if rows or malformed:
        yield _batch(lines, rows, malformed, shape)


def _batch(
    lines: list[int], rows: list[list[str]], malformed: list[tuple[int, str]], shape: Shape
) -> Batch:
    values = zip(*rows, strict=True) if rows else [()] * len(shape.columns)
    columns = [pa.array(column, pa.string()) for column in values]
    return Batch(np.array(lines, dtype=np.int64), trim_columns(columns, shape.columns), malformed)
