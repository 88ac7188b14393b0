"""Reads blocks of sound CSV text with Arrow, and leaves other blocks alone."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from leadscore.ingest.readers.batch import Batch, Dialect, SourceFile, trim_columns
from leadscore.ingest.readers.text import BYTE_ORDER_MARK

NEWLINE = ord("\n")
RETURN = ord("\r")


@dataclass(frozen=True)
class Shape:
    """What a row of a file should be: `width` values, of which `picks` are for the `columns`."""

    file: SourceFile
    dialect: Dialect
    width: int
    picks: list[int]
    columns: list[str]

    def malformed(self, count: int) -> str:
        """What is wrong with a row of `count` values."""
        measure = "header" if self.dialect.header else "first row"
        return f"{count} values, the {measure} has {self.width}"


@dataclass(frozen=True)
class Block:
    """The whole rows at the begin of a text, and how many bytes and lines of it they take."""

    batch: Batch
    size: int
    lines: int


@dataclass(frozen=True)
class _Marks:
    """Where the line ends and quotes of a text stand, up to the last line end outside of quotes."""

    newlines: np.ndarray
    quotes: np.ndarray

    @property
    def row_ends(self) -> np.ndarray:
        """The line ends that end a row, since they stand outside of quotes."""
        quotes_before = np.searchsorted(self.quotes, self.newlines)
        ends: np.ndarray = self.newlines[quotes_before % 2 == 0]
        return ends


@dataclass(frozen=True)
class _Parsed:
    """Rows as Arrow reads them; of malformed ones, their number and how many values they have."""

    table: pa.Table
    malformed: list[tuple[int, int]]

    @property
    def n(self) -> int:
        return len(self.table) + len(self.malformed)


@dataclass(frozen=True)
class _Extent:
    """On which line, counted from 0, each row begins; and the bytes of the longest row."""

    begins: np.ndarray
    longest: int


def read_block(text: bytes, *, line: int, shape: Shape) -> Block | None:
    r"""The whole rows of `text`, the first on line `line`; None if Arrow might misread them.

    Text is sound if all lines end in \n or \r\n, no row is longer than a value may be, each quote
    that opens follows the begin of a line or a delimiter, and each that closes precedes a delimiter
    or the end of a line. By induction over the quotes, every second one then closes, and a line end
    after an even number of quotes ends a row.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    marks = _find_marks(data, shape.dialect)
    if not marks.newlines.size:
        return None
    size = int(marks.newlines[-1]) + 1
    if not _is_sound(text, data[:size], marks.quotes, shape.dialect):
        return None

    parsed = _parse(text, size, shape)
    extent = _measure_rows(data, marks, parsed.n)
    if extent.longest > csv.field_size_limit():
        return None

    begins = line + extent.begins
    bad = np.array([row for row, _ in parsed.malformed], dtype=np.int64)
    malformed = [(int(begins[row]), shape.malformed(count)) for row, count in parsed.malformed]
    batch = Batch(np.delete(begins, bad), parsed.table, malformed)
    return Block(batch, size, len(marks.newlines))


def _find_marks(data: np.ndarray, dialect: Dialect) -> _Marks:
    newlines = np.flatnonzero(data == NEWLINE)
    if not dialect.quote:
        return _Marks(newlines, newlines[:0])

    marks = _Marks(newlines, np.flatnonzero(data == ord(dialect.quote)))
    if not newlines.size:
        return marks
    is_within_quotes = np.searchsorted(marks.quotes, newlines[-1]) % 2
    if is_within_quotes:
        ends = marks.row_ends
        newlines = newlines[newlines <= ends[-1]] if ends.size else ends
    size = newlines[-1] + 1 if newlines.size else 0
    return _Marks(newlines, marks.quotes[: np.searchsorted(marks.quotes, size)])


def _is_sound(text: bytes, data: np.ndarray, quotes: np.ndarray, dialect: Dialect) -> bool:
    """Whether Python's csv module reads `data`, the first bytes of `text`, as Arrow does."""
    if not dialect.delimiter.isascii():
        return False
    if text.startswith(BYTE_ORDER_MARK.encode()):  # Arrow would take it away
        return False
    if text.count(b"\r", 0, len(data)) != text.count(b"\r\n", 0, len(data)):
        return False

    may_stand_beside = np.zeros(256, dtype=bool)
    for mark in (dialect.delimiter, "\n", "\r", dialect.quote or "\n"):
        may_stand_beside[ord(mark)] = True
    opening = quotes[::2]
    closing = quotes[1::2]
    before = data[opening - 1]  # of the first byte it is the last one, a line end
    after = data[closing + 1]
    return bool(may_stand_beside[before].all() and may_stand_beside[after].all())


def _parse(text: bytes, size: int, shape: Shape) -> _Parsed:
    """The rows in the first `size` bytes of a text."""
    names = [str(i) for i in range(shape.width)]
    picked = [names[i] for i in shape.picks]
    malformed: list[tuple[int, int]] = []

    def skip(row: pcsv.InvalidRow) -> str:
        malformed.append((row.number - 1, row.actual_columns))
        return "skip"

    table = pcsv.read_csv(
        pa.BufferReader(pa.py_buffer(text).slice(0, size)),
        read_options=pcsv.ReadOptions(use_threads=False, block_size=size + 1, column_names=names),
        parse_options=pcsv.ParseOptions(
            delimiter=shape.dialect.delimiter,
            quote_char=shape.dialect.quote or False,
            invalid_row_handler=skip,
        ),
        convert_options=pcsv.ConvertOptions(
            check_utf8=False,  # it was decoded already
            include_columns=picked,
            column_types=dict.fromkeys(picked, pa.string()),
            strings_can_be_null=False,
        ),
    )
    return _Parsed(trim_columns(table.columns, shape.columns), malformed)


def _measure_rows(data: np.ndarray, marks: _Marks, n: int) -> _Extent:
    """The `n` rows of a text: each filled line is one, unless there are more lines than rows."""
    by_line = _measure(data, marks.newlines, marks.newlines)
    if len(by_line.begins) == n:
        return by_line
    return _measure(data, marks.newlines, marks.row_ends)


def _measure(data: np.ndarray, newlines: np.ndarray, ends: np.ndarray) -> _Extent:
    """The rows of a text if they end at `ends`; an empty line is no row."""
    sizes = np.diff(ends, prepend=-1)
    is_empty = (sizes == 1) | ((sizes == 2) & (data[ends - 1] == RETURN))
    if len(ends) == len(newlines):
        return _Extent(np.flatnonzero(~is_empty), int(sizes.max()))
    lines_before = np.searchsorted(newlines, ends[:-1]) + 1
    begins = np.concatenate([[0], lines_before])
    return _Extent(begins[~is_empty], int(sizes.max()))
