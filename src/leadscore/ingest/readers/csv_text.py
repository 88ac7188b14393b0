"""Reads CSV text in batches, each row with the line it begins on.

Blocks whose line ends and quotes are sound are read by Arrow, many times faster than Python's csv
module. From the first other block on, that module reads the rest of the file and says what is
wrong: both give the same rows, lines and refusals.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pyarrow as pa

from leadscore.errors import SourceFormatError
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
DATA = re.compile(r"[+-]?\d[\d.,:/ TZ+-]*|.*@.*|[A-Za-z]{0,3}-?\d{3,}")  # no name of a column


@dataclass(frozen=True)
class _FirstRow:
    """A file's first row, and how many bytes and lines it takes with the blank lines before."""

    values: list[str]
    size: int
    lines: int


@dataclass
class _Rows:
    """Rows collected one by one, until they make a batch."""

    shape: Shape
    lines: list[int] = field(default_factory=list)
    values: list[list[str]] = field(default_factory=list)
    malformed: list[tuple[int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines) + len(self.malformed)

    def add(self, line: int, row: list[str]) -> None:
        if len(row) == self.shape.width:
            self.lines.append(line)
            self.values.append([row[i] for i in self.shape.picks])
        elif row:  # a blank line is no row
            self.malformed.append((line, self.shape.malformed(len(row))))

    def to_batch(self) -> Batch:
        names = self.shape.columns
        values = zip(*self.values, strict=True) if self.values else [()] * len(names)
        columns = [pa.array(column, pa.string()) for column in values]
        lines = np.array(self.lines, dtype=np.int64)
        return Batch(lines, trim_columns(columns, names), self.malformed)


def read_csv(file: SourceFile, *, columns: Sequence[str], dialect: Dialect) -> Iterator[Batch]:
    """The named columns of a text file, batch by batch.

    Raises:
        SourceFormatError: its quotes never close, it is not of its encoding, or its lines are too
            long.
        MissingColumnsError: it has not all the columns.
    """
    blocks = read_text(file, encoding=dialect.encoding)
    text = _read_head(blocks)
    first = _read_first(file, text, dialect)
    line = 1
    if dialect.header:
        picks = _pick(file, first.values, columns, dialect)
        text = text[first.size :]
        line += first.lines
    else:
        names = number_columns(len(first.values))
        picks = pick_columns(file, names, columns)

    shape = Shape(file, dialect, len(first.values), picks, list(columns))
    for block in chain((b"",), blocks):
        text += block
        rows = read_block(text, line=line, shape=shape)
        if rows is None:
            break
        if len(rows.batch.lines) or rows.batch.malformed:
            yield rows.batch
        text = text[rows.size :]
        line += rows.lines

    # Left is what Arrow might misread, or a last line without an end.
    yield from _read_carefully(chain((text,), blocks), line, shape)


def read_csv_names(file: SourceFile, *, dialect: Dialect) -> list[str]:
    """The names of the columns of a text file."""
    head = _read_head(read_text(file, encoding=dialect.encoding))
    first = _read_first(file, head, dialect).values
    return first if dialect.header else number_columns(len(first))


def _read_head(blocks: Iterator[bytes]) -> bytes:
    head = b""
    for block in blocks:
        head += block
        if len(head) >= HEAD_BYTES:
            break
    return head


def _read_first(file: SourceFile, head: bytes, dialect: Dialect) -> _FirstRow:
    lines: list[str] = []

    def noted() -> Iterator[str]:
        for line in split_lines(file, (head,), line=1):
            lines.append(line)
            yield line

    rows = csv.reader(noted(), **csv_options(dialect))
    try:
        first = next((row for row in rows if row), None)
    except csv.Error as e:
        raise _unreadable(file, e, line=1) from e
    if first is None:
        raise file.refusal("is empty")

    size = len("".join(lines).encode())
    if size >= HEAD_BYTES:
        raise file.refusal(f"has a first row of more than {HEAD_BYTES} bytes")
    return _FirstRow(first, size, len(lines))


def _pick(
    file: SourceFile, header: list[str], columns: Sequence[str], dialect: Dialect
) -> list[int]:
    """Where the columns stand in the header.

    A first row that looks like data is refused without showing it, since data may be personal.
    """
    has_none = set(columns).isdisjoint(header)
    looks_like_data = any(DATA.fullmatch(name.strip()) for name in header)
    if columns and has_none and looks_like_data:
        raise file.refusal(
            f"has no column {columns[0]!r}, and numbers, dates or ids where names should be; "
            'if it has no header, set header = false for it and call its columns "1", "2", ...'
        )
    return pick_columns(file, header, columns, delimiter=dialect.delimiter)


def _read_carefully(blocks: Iterator[bytes], line: int, shape: Shape) -> Iterator[Batch]:
    """All rows of a text that begins with one on line `line`, read by Python's csv module."""
    lines = split_lines(shape.file, blocks, line=line)
    reader = csv.reader(lines, **csv_options(shape.dialect))
    rows = _Rows(shape)
    begin = line
    try:
        for row in reader:
            rows.add(begin, row)
            begin = line + reader.line_num
            if len(rows) >= BATCH_ROWS:
                yield rows.to_batch()
                rows = _Rows(shape)
    except csv.Error as e:
        raise _unreadable(shape.file, e, line=begin) from e
    if len(rows):
        yield rows.to_batch()


def _unreadable(file: SourceFile, error: csv.Error, *, line: int) -> SourceFormatError:
    return file.refusal(
        f"cannot be read as CSV from line {line} on: {error}; does a quote never close?"
    )
