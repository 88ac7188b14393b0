"""Reads CSV text in batches, each row with the line it begins on.

Blocks whose line ends and quotes are sound are read by Arrow, many times faster than Python's csv
module. From the first other block on, that module reads the rest of the file and says what is
wrong: both give the same rows, lines and refusals.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import pyarrow.compute as pc

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
from leadscore.ingest.readers.csv_blocks import Rows, Shape, read_block
from leadscore.ingest.readers.dialect import csv_options
from leadscore.ingest.readers.text import (
    HIDDEN,
    LINE_LIMIT,
    hide_quotes,
    read_text,
    split_lines,
)

csv.field_size_limit(LINE_LIMIT)  # a long text in a column that nobody reads is no fault

MOST_LINES = 10_000  # of a value: where more follow a quote, it never closes
TOO_LONG = f"a line of more than {LINE_LIMIT:,} characters"
BAD_QUOTE = "a quote that does not close, or is not doubled within a value"
HEAD_BYTES = 1 << 20  # a header is shorter
DATA = re.compile(r"[+-]?\d[\d.,:/ TZ+-]*|.*@.*|[A-Za-z]{0,3}-?\d{3,}")  # no name of a column


@dataclass(frozen=True)
class _FirstRow:
    """A file's first row, and how many bytes and lines it takes with all lines before.

    `skipped` are the bytes of the lines that the dialect skips.
    """

    values: list[str]
    size: int
    lines: int
    skipped: int


class _Lines:
    """Lines, and those `taken` since they were last cleared, which can be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.waiting: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) > MOST_LINES:
            raise csv.Error("a quote never closes")
        line = self.waiting.popleft() if self.waiting else next(self.lines)
        self.taken.append(line)
        return line

    def give_back(self) -> str:
        """Keep the first taken line, return the others to the front."""
        first, *others = self.taken
        self.waiting.extendleft(reversed(others))
        return first


def read_csv(
    file: SourceFile,
    *,
    columns: Sequence[str],
    dialect: Dialect,
    needed: Collection[str] | None = None,
) -> Iterator[Batch]:
    """The named columns of a text file, batch by batch.

    A row may end before values that are not `needed`; None needs all of them.

    Raises:
        SourceFormatError: it is not of its encoding, or its lines are too long.
        MissingColumnsError: it has not all the columns.
    """
    for batch in _read_batches(file, columns=columns, dialect=dialect, needed=needed):
        yield _show_quotes(batch, dialect) if dialect.escapes_quotes else batch


def _show_quotes(batch: Batch, dialect: Dialect) -> Batch:
    """A batch with its escaped quotes as they are meant."""
    quote = dialect.quote or ""
    shown = [pc.replace_substring(text, HIDDEN, quote) for text in batch.columns.columns]
    malformed = [
        [text and text.replace(HIDDEN, quote) for text in row] for row in batch.malformed_texts
    ]
    columns = trim_columns(shown, batch.columns.column_names)
    return replace(batch, columns=columns, malformed_texts=malformed)


def _read_batches(
    file: SourceFile,
    *,
    columns: Sequence[str],
    dialect: Dialect,
    needed: Collection[str] | None,
) -> Iterator[Batch]:
    blocks = _read_blocks(file, dialect)
    text = _read_head(blocks)
    first = _read_first(file, text, dialect)
    line = 1
    shape = _shape_of(file, first.values, columns, dialect, needed=needed)
    if dialect.header:
        text = text[first.size :]
        line += first.lines
    else:
        text = text[first.skipped :]
        line += dialect.skip
    if dialect.is_header_found:
        yield shape.empty_batch(header_line=dialect.skip + 1)
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


def _shape_of(
    file: SourceFile,
    first: list[str],
    columns: Sequence[str],
    dialect: Dialect,
    *,
    needed: Collection[str] | None,
) -> Shape:
    """How the rows of a file look, by the values of its first row."""
    if dialect.header:
        names = first
        picks = _pick(file, names, columns, dialect)
    else:
        names = number_columns(len(first))
        picks = pick_columns(file, names, columns)
    least = _least(names, needed)
    return Shape(file, dialect, len(first), picks, list(columns), least)


def read_csv_names(file: SourceFile, *, dialect: Dialect) -> list[str]:
    """The names of the columns of a text file."""
    head = _read_head(_read_blocks(file, dialect))
    first = _read_first(file, head, dialect).values
    return first if dialect.header else number_columns(len(first))


def _read_blocks(file: SourceFile, dialect: Dialect) -> Iterator[bytes]:
    """The text of a file without escaped quotes."""
    blocks = read_text(file, encoding=dialect.encoding)
    if dialect.quote and dialect.escapes_quotes:
        return hide_quotes(blocks, dialect.quote)
    return blocks


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

    source = noted()
    for _ in range(dialect.skip):
        next(source, None)
    skipped = len("".join(lines).encode())
    rows = csv.reader(source, **csv_options(dialect))
    try:
        first = next((row for row in rows if row), None)
    except csv.Error as e:
        raise _unreadable(file, e, line=1) from e
    if first is None:
        raise file.refusal("is empty")

    size = len("".join(lines).encode())
    if size >= HEAD_BYTES:
        raise file.refusal(f"has a first row of more than {HEAD_BYTES} bytes")
    names = [name.replace(HIDDEN, dialect.quote or "") for name in first]
    return _FirstRow(names, size, len(lines), skipped)


def _least(names: Sequence[str], needed: Collection[str] | None) -> int:
    """How many values a row must have to reach all needed columns."""
    if needed is None:
        return len(names)
    places = [place for place, name in enumerate(names, 1) if name in needed]
    return max(places, default=1)


def _pick(
    file: SourceFile,
    header: list[str],
    columns: Sequence[str],
    dialect: Dialect,
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
    rows = Rows(shape)
    for begin, row, problem in _split_rows(blocks, line, shape):
        rows.add(begin, row, problem)
        if len(rows) >= BATCH_ROWS:
            yield rows.to_batch()
            rows = Rows(shape)
    if len(rows):
        yield rows.to_batch()


def _split_rows(
    blocks: Iterator[bytes],
    line: int,
    shape: Shape,
) -> Iterator[tuple[int, list[str], str | None]]:
    """The rows with the line they begin on, and what is wrong with their quotes.

    After a wrong quote reading goes on with the next line, so that it costs no other row.
    """
    options = csv_options(shape.dialect)
    lines = _Lines(split_lines(shape.file, blocks, line=line))
    reader = csv.reader(lines, **options)
    while True:
        lines.taken.clear()
        try:
            row = next(reader, None)
            is_wrong = row is not None and _has_swallowed_rows(row, lines.taken, shape)
        except csv.Error:
            row, is_wrong = [], True
        if row is None:
            return
        if not is_wrong:
            yield line, row, None
            line += len(lines.taken)
            continue
        first = lines.give_back()
        reader = csv.reader(lines, **options)
        problem = TOO_LONG if len(first) > LINE_LIMIT else BAD_QUOTE
        yield line, _split_roughly(first[:LINE_LIMIT], options), problem
        line += 1


def _has_swallowed_rows(row: list[str], lines: list[str], shape: Shape) -> bool:
    """Whether a quote did not close: the row is wrong, and one of its lines would be a right one."""
    if len(lines) == 1 or shape.fits(row):
        return False
    return any(_is_row(line, shape) for line in lines[1:])


def _is_row(line: str, shape: Shape) -> bool:
    quote = shape.dialect.quote
    if quote and line.count(quote) % 2:
        return False
    try:
        options = csv_options(shape.dialect)
        row = next(csv.reader([line], **options), [])
    except csv.Error:
        return False
    return len(row) > 1 and shape.fits(row)


def _split_roughly(line: str, options: dict[str, Any]) -> list[str]:
    """The values of a line whose quotes are wrong, as well as can be told."""
    lenient = options | {"strict": False}
    return next(csv.reader([line], **lenient), [line])


def _unreadable(file: SourceFile, error: csv.Error, *, line: int) -> SourceFormatError:
    return file.refusal(
        f"cannot be read as CSV from line {line} on: {error}; does a quote never close?"
    )
