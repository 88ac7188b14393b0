"""Reads blocks of sound CSV text with Arrow, and leaves other blocks alone."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from leadscore.ingest.readers.batch import Batch, Dialect, SourceFile, trim_columns
from leadscore.ingest.readers.dialect import csv_options
from leadscore.ingest.readers.text import BYTE_ORDER_MARK, LINE_LIMIT

NEWLINE = ord("\n")
RETURN = ord("\r")


@dataclass(frozen=True)
class Shape:
    """What a row of a file should be: `width` values, of which `picks` are for the `columns`.

    A row of at least `least` values lacks only what may be missing.
    """

    file: SourceFile
    dialect: Dialect
    width: int
    picks: list[int]
    columns: list[str]
    least: int

    def fits(self, row: list[str]) -> bool:
        """Whether a row has the right number of values, or can be mended."""
        has_surplus = any(row[self.width :])
        return self.least <= len(row) and not has_surplus

    def pick(self, row: list[str]) -> list[str | None]:
        """The values for the columns, None where the row ends before."""
        return [row[place].strip() if place < len(row) else None for place in self.picks]

    def empty_batch(self, *, header_line: int) -> Batch:
        """No rows, but where the header was found."""
        nothing = pa.array([], pa.string())
        columns = trim_columns([nothing] * len(self.columns), self.columns)
        no_lines = np.array([], dtype=np.int64)
        return Batch(no_lines, columns, header_line=header_line)

    def malformed(self, count: int) -> str:
        """What is wrong with a row of `count` values."""
        measure = "header" if self.dialect.header else "first row"
        return f"{count} values, the {measure} has {self.width}"


@dataclass
class Rows:
    """Rows collected one by one, until they make a batch."""

    shape: Shape
    lines: list[int] = field(default_factory=list)
    values: list[list[str]] = field(default_factory=list)
    malformed: list[tuple[int, str]] = field(default_factory=list)
    malformed_texts: list[list[str | None]] = field(default_factory=list)
    short: int = 0
    surplus: int = 0

    def __len__(self) -> int:
        return len(self.lines) + len(self.malformed)

    def add(self, line: int, row: list[str], problem: str | None = None) -> None:
        """A row; one that cannot be mended, or has a `problem`, is malformed."""
        if not row:  # a blank line is no row
            return
        values = self.shape.pick(row)
        if problem is not None or not self.shape.fits(row):
            reason = problem or self.shape.malformed(len(row))
            self.malformed.append((line, reason))
            self.malformed_texts.append(values)
            return
        self.short += len(row) < self.shape.width
        self.surplus += len(row) > self.shape.width
        self.lines.append(line)
        self.values.append([value or "" for value in values])

    def to_batch(self, others: Batch | None = None) -> Batch:
        """The rows, and the `others`, in the order of their lines."""
        names = self.shape.columns
        columns = []
        for place in range(len(names)):
            texts = [row[place] for row in self.values]
            columns.append(pa.array(texts, pa.string()))
        table = trim_columns(columns, names)
        lines = np.array(self.lines, dtype=np.int64)
        if others is not None:
            lines = np.concatenate([others.lines, lines])
            order = np.argsort(lines)
            lines = lines[order]
            both = pa.concat_tables([others.columns, table])
            table = both.take(pa.array(order))
        return Batch(
            lines,
            table,
            self.malformed,
            malformed_texts=self.malformed_texts,
            short=self.short,
            surplus=self.surplus,
        )


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
    """Rows as Arrow reads them; of those with another number of values, their place and text."""

    table: pa.Table
    others: list[tuple[int, str]]

    @property
    def n(self) -> int:
        return len(self.table) + len(self.others)


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
    if extent.longest > LINE_LIMIT:
        return None

    begins = line + extent.begins
    other_places = [place for place, _ in parsed.others]
    places = np.array(other_places, dtype=np.int64)
    batch = Batch(np.delete(begins, places), parsed.table)
    if parsed.others:
        rows = Rows(shape)
        for place, other in parsed.others:
            row = _split_row(other, shape.dialect)
            if "\n" in other and not shape.fits(row):
                return None  # a quote that does not close may have swallowed other rows
            rows.add(int(begins[place]), row)
        batch = rows.to_batch(batch)
    return Block(batch, size, len(marks.newlines))


def _split_row(text: str, dialect: Dialect) -> list[str]:
    lines = io.StringIO(text, newline="")
    return next(csv.reader(lines, **csv_options(dialect)), [])


def _find_marks(data: np.ndarray, dialect: Dialect) -> _Marks:
    newlines = np.flatnonzero(data == NEWLINE)
    if not dialect.quote:
        return _Marks(newlines, newlines[:0])

    is_quote = data == ord(dialect.quote)
    marks = _Marks(newlines, np.flatnonzero(is_quote))
    if not newlines.size:
        return marks
    is_within_quotes = np.searchsorted(marks.quotes, newlines[-1]) % 2
    if is_within_quotes:
        ends = marks.row_ends
        newlines = newlines[newlines <= ends[-1]] if ends.size else ends
    size = newlines[-1] + 1 if newlines.size else 0
    inside = np.searchsorted(marks.quotes, size)
    return _Marks(newlines, marks.quotes[:inside])


def _is_sound(text: bytes, data: np.ndarray, quotes: np.ndarray, dialect: Dialect) -> bool:
    """Whether Python's csv module reads `data`, the first bytes of `text`, as Arrow does."""
    if not dialect.delimiter.isascii():
        return False
    if text.startswith(BYTE_ORDER_MARK.encode()):  # Arrow would take it away
        return False
    returns = text.count(b"\r", 0, len(data))
    if returns and returns != text.count(b"\r\n", 0, len(data)):
        return False

    may_stand_beside = np.zeros(256, dtype=bool)
    for mark in (dialect.delimiter, "\n", "\r", dialect.quote or "\n"):
        may_stand_beside[ord(mark)] = True
    opening = quotes[::2]
    closing = quotes[1::2]
    before = data[opening - 1]  # of the first byte it is the last one, a line end
    after = data[closing + 1]
    is_sound_before = may_stand_beside[before].all()
    return bool(is_sound_before and may_stand_beside[after].all())


def _parse(text: bytes, size: int, shape: Shape) -> _Parsed:
    """The rows in the first `size` bytes of a text."""
    names = [str(i) for i in range(shape.width)]
    picked = [names[i] for i in shape.picks]
    others: list[tuple[int, str]] = []

    def skip(row: pcsv.InvalidRow) -> str:
        others.append((row.number - 1, row.text))
        return "skip"

    buffer = pa.py_buffer(text).slice(0, size)
    reading = pcsv.ReadOptions(use_threads=False, block_size=size + 1, column_names=names)
    parsing = pcsv.ParseOptions(
        delimiter=shape.dialect.delimiter,
        quote_char=shape.dialect.quote or False,
        invalid_row_handler=skip,
    )
    converting = pcsv.ConvertOptions(
        check_utf8=False,  # it was decoded already
        include_columns=picked,
        column_types=dict.fromkeys(picked, pa.string()),
        strings_can_be_null=False,
    )
    table = pcsv.read_csv(
        pa.BufferReader(buffer),
        read_options=reading,
        parse_options=parsing,
        convert_options=converting,
    )
    return _Parsed(trim_columns(table.columns, shape.columns), others)


def _measure_rows(data: np.ndarray, marks: _Marks, n: int) -> _Extent:
    """The `n` rows of a text: each filled line is one, unless there are more lines than rows."""
    by_line = _measure(data, marks.newlines, marks.newlines)
    if len(by_line.begins) == n:
        return by_line
    return _measure(data, marks.newlines, marks.row_ends)


def _measure(data: np.ndarray, newlines: np.ndarray, ends: np.ndarray) -> _Extent:
    """The rows of a text if they end at `ends`; an empty line is no row."""
    sizes = np.diff(ends, prepend=-1)
    ends_in_return = data[ends - 1] == RETURN
    is_empty = (sizes == 1) | ((sizes == 2) & ends_in_return)
    if len(ends) == len(newlines):
        rows = np.flatnonzero(~is_empty)
        return _Extent(rows, int(sizes.max()))
    lines_before = np.searchsorted(newlines, ends[:-1]) + 1
    begins = np.concatenate([[0], lines_before])
    return _Extent(begins[~is_empty], int(sizes.max()))
