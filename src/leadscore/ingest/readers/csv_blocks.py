"""Reads blocks of sound CSV text by Arrow, with the line of each row; a block that is not sound is left alone."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from leadscore.ingest.readers.batch import Batch, Dialect, SourceFile, trim_columns
from leadscore.ingest.readers.text import BYTE_ORDER_MARK

NEWLINE, RETURN = ord("\n"), ord("\r")


@dataclass(frozen=True)
class Shape:
    """What every row of a file should be: `width` values, of which those at `picks` are asked for as `columns`."""

    file: SourceFile
    dialect: Dialect
    width: int
    picks: list[int]
    columns: list[str]

    def malformed(self, found: int) -> str:
        """What is wrong with a row of `found` values."""
        return f"{found} values, the {'header' if self.dialect.header else 'first row'} has {self.width}"


@dataclass(frozen=True)
class Block:
    """The rows that a text begins with, and how many bytes and lines of it they take."""

    batch: Batch
    size: int
    lines: int


def read_block(text: bytes, *, line: int, shape: Shape) -> Block | None:
    r"""The whole rows of `text`, which begins with a row on line `line`; None if Arrow might read them differently.

    Sound is: all lines end in \n or \r\n, no row is longer than a value may be, each quote that opens stands behind
    a line's begin or a delimiter, and each that closes before a delimiter or a line's end. By induction over the
    quotes, every second one then closes, and a line end behind an even number of quotes ends a row.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    newlines = np.flatnonzero(data == NEWLINE)
    quote = shape.dialect.quote
    quotes = np.flatnonzero(data == ord(quote)) if quote else newlines[:0]
    if (
        newlines.size and np.searchsorted(quotes, newlines[-1]) % 2
    ):  # the last line ends within quotes
        outer = _outside(newlines, quotes)
        newlines = newlines[: np.searchsorted(newlines, outer[-1]) + 1] if outer.size else outer
    if not newlines.size:
        return None
    size = int(newlines[-1]) + 1
    quotes = quotes[: np.searchsorted(quotes, size)]
    if not _is_sound(text, data[:size], quotes, shape.dialect):
        return None
    table, malformed = _parse(text, size, shape)
    begins, longest = _find_rows(data, newlines, newlines)
    if table.num_rows + len(malformed) != len(
        begins
    ):  # a row takes a filled line or more, so some have several
        begins, longest = _find_rows(data, newlines, _outside(newlines, quotes))
    if longest > csv.field_size_limit():
        return None
    bad = np.array([row for row, _ in malformed], dtype=np.int64)
    told = [(line + int(begins[row]), shape.malformed(found)) for row, found in malformed]
    return Block(Batch(line + np.delete(begins, bad), table, told), size, len(newlines))


def _outside(newlines: np.ndarray, quotes: np.ndarray) -> np.ndarray:
    """The line ends that stand outside of quotes."""
    outer: np.ndarray = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    return outer


def _is_sound(text: bytes, data: np.ndarray, quotes: np.ndarray, dialect: Dialect) -> bool:
    """Whether Python's csv module reads `data`, the first bytes of `text`, as Arrow does, but for long values."""
    if not dialect.delimiter.isascii() or text.startswith(
        BYTE_ORDER_MARK.encode()
    ):  # Arrow would take it away
        return False
    if text.count(b"\r", 0, len(data)) != text.count(b"\r\n", 0, len(data)):
        return False
    beside = np.zeros(256, dtype=bool)
    beside[[ord(mark) for mark in (dialect.delimiter, "\n", "\r", dialect.quote or "\n")]] = True
    opening, closing = quotes[::2], quotes[1::2]
    # before the first byte comes the last one, a line end
    return bool(beside[data[opening - 1]].all() and beside[data[closing + 1]].all())


def _parse(text: bytes, size: int, shape: Shape) -> tuple[pa.Table, list[tuple[int, int]]]:
    """The rows in the first `size` bytes, and (row, number of values) of those that have not the right number."""
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
    return trim_columns(table.columns, shape.columns), malformed


def _find_rows(data: np.ndarray, newlines: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, int]:
    """On which line, counted from 0, each row begins if rows end at `ends`, and the bytes of the longest one."""
    sizes = np.diff(ends, prepend=-1)
    blank = (sizes == 1) | ((sizes == 2) & (data[ends - 1] == RETURN))
    if len(ends) == len(newlines):
        return np.flatnonzero(~blank), int(sizes.max())
    begins = np.concatenate([[0], np.searchsorted(newlines, ends[:-1]) + 1])
    return begins[~blank], int(sizes.max())
