"""Reads a sheet of an Excel workbook, its cells as the text that a CSV of it would hold."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice
from typing import Any

import numpy as np
import pyarrow as pa

from leadscore.errors import UserError
from leadscore.ingest.readers.batch import (
    BATCH_ROWS,
    HEADER_ROWS,
    NOTHING_EXPECTED,
    Batch,
    Expected,
    SourceFile,
    number_columns,
    pick_columns,
    trim_columns,
)
from leadscore.ingest.readers.formulas import doubt_formulas
from leadscore.ingest.readers.number_formats import Format, NumberText, doubt_marks, write_number
from leadscore.settings.source import Source
from leadscore.wording import listed

LAST_ROW = 1_048_576  # of any sheet


@dataclass
class _Sheet:
    """The filled rows of a sheet: their numbers, and their text by column."""

    columns: list[str]
    header_line: int | None = None  # where it was found, if not in the first row
    lines: list[int] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    doubts: tuple[str, ...] = ()

    def add(self, line: int, row: list[str], picks: list[int]) -> None:
        self.lines.append(line)
        for text, pick in zip(self.texts, picks, strict=True):
            text.append(row[pick] if pick < len(row) else "")

    def number_columns(self) -> frozenset[str]:
        """The columns that hold nothing but numbers."""
        columns = zip(self.columns, self.texts, strict=True)
        return frozenset(name for name, texts in columns if _are_numbers(texts))

    def doubted_marks(self, title: str) -> Iterator[str]:
        """What is doubted of numbers that have marks in some cells only, or several."""
        for name, texts in zip(self.columns, self.texts, strict=True):
            yield from doubt_marks(title, name, texts)

    def batch(self, part: slice, typed: frozenset[str]) -> Batch:
        texts = [pa.array(text[part], pa.string()) for text in self.texts]
        lines = np.array(self.lines[part], dtype=np.int64)
        return Batch(
            lines,
            trim_columns(texts, self.columns),
            typed=typed,
            header_line=self.header_line,
            doubts=self.doubts,
        )


def read_workbook(
    file: SourceFile,
    source: Source,
    *,
    columns: Sequence[str],
    expected: Expected = NOTHING_EXPECTED,
) -> Iterator[Batch]:
    """The named columns of a sheet, batch by batch; a row's line is its number in the sheet.

    openpyxl is slow, but python-calamine trusts the sizes that a file states, and crashes where
    they are wrong.

    Raises:
        SourceFormatError: it is no workbook, or has no such sheet, or several and none is named.
        MissingColumnsError: the sheet has not all the columns.
    """
    sheet = _read_sheet(file, source, columns, expected)
    typed = sheet.number_columns()
    n = len(sheet.lines)
    for first in range(0, max(n, 1 if sheet.doubts else 0), BATCH_ROWS):
        yield sheet.batch(slice(first, first + BATCH_ROWS), typed)


def read_workbook_names(
    file: SourceFile,
    source: Source,
    expected: Expected = NOTHING_EXPECTED,
) -> list[str]:
    """The names of the columns of a sheet."""
    with _opened(file) as book:
        sheet = _choose_sheet(file, book, source.sheet)
        rows = _from_header(file, sheet, source, expected).rows
        _, first = next(rows, (0, []))
    return number_columns(len(first)) if source.header is False else first


def read_sheet_names(file: SourceFile) -> list[str]:
    """What the sheets of a workbook are called."""
    with _opened(file) as book:
        return [sheet.title for sheet in book.worksheets]


def read_first_rows(file: SourceFile, source: Source) -> list[tuple[int, list[str]]]:
    """The first filled rows of a sheet, each after its number, as many as may hold the header."""
    with _opened(file) as book:
        rows = _filled_rows(file, _choose_sheet(file, book, source.sheet))
        return list(islice(rows, 2 * HEADER_ROWS))


@dataclass(frozen=True)
class _Filled:
    """The filled rows of a sheet from the header on, and its row if it had to be looked for."""

    rows: Iterator[tuple[int, list[str]]]
    header_line: int | None


def _from_header(file: SourceFile, sheet: Any, source: Source, expected: Expected) -> _Filled:
    rows = _filled_rows(file, sheet)
    header_line = None
    if source.header_row is None and source.header is not False:
        head = list(islice(rows, HEADER_ROWS + 1))
        header_line = expected.find_header(head)
        rows = chain(head, rows)
    begin = source.header_row or header_line or 0
    below = ((number, row) for number, row in rows if number >= begin)
    return _Filled(below, header_line)


def _read_sheet(
    file: SourceFile,
    source: Source,
    columns: Sequence[str],
    expected: Expected,
) -> _Sheet:
    with _opened(file) as book:
        chosen = _choose_sheet(file, book, source.sheet)
        filled = _from_header(file, chosen, source, expected)
        rows = filled.rows
        line, first = next(rows, (0, []))
        if not first:
            sheet = source.sheet
            raise file.refusal(
                "is empty" if sheet is None else f"has nothing in its sheet {sheet!r}"
            )

        names = first
        if source.header is False:
            names = number_columns(len(first))
            rows = chain([(line, first)], rows)
        picks = pick_columns(file, names, columns)
        texts: list[list[str]] = [[] for _ in picks]
        read = _Sheet(list(columns), filled.header_line, texts=texts)
        below = 0 if source.header is False else line
        for line, row in rows:
            read.add(line, row, picks)
        places = dict(zip(picks, columns, strict=True))
        formulas = doubt_formulas(chosen, places, below=below)
        read.doubts = (*filter(None, [formulas]), *read.doubted_marks(chosen.title))
    return read


@contextmanager
def _opened(file: SourceFile) -> Iterator[Any]:
    """The workbook while it is read; whatever goes wrong meanwhile is reported of the file."""
    from openpyxl import load_workbook  # slow to import, and few need it

    try:
        with warnings.catch_warnings(action="ignore"), file.path.open("rb") as opened:
            # openpyxl leaves files open where it fails, so we open them; and it warns of all that
            # it does not support, like drop-down lists.
            book = load_workbook(opened, read_only=True, data_only=True, keep_links=False)
            with closing(book):
                yield book
    except UserError:
        raise
    except Exception as e:  # openpyxl checks little, so a damaged file may raise anything
        raise file.refusal(f"cannot be read as an Excel workbook: {e}") from e


def _choose_sheet(file: SourceFile, book: Any, name: str | None) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if name is None and len(sheets) != 1:
        raise file.refusal(f"has the sheets {listed(list(sheets))}; set sheet to one of them")
    if name is not None and name not in sheets:
        raise file.refusal(f"has no sheet {name!r}; it has {listed(list(sheets))}")
    return sheets[name or next(iter(sheets))]


def _filled_rows(file: SourceFile, sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows with any text, after their number in the sheet."""
    formats: dict[int, Format] = {}
    sheet.reset_dimensions()  # what it says of its size may be wrong
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number > LAST_ROW:
            raise file.refusal(
                f"has more than {LAST_ROW} rows in its sheet {sheet.title!r}: it is damaged"
            )
        row = [_text(cell, formats) for cell in cells]
        if any(row):
            yield number, row


def _are_numbers(texts: list[str]) -> bool:
    return all(isinstance(text, NumberText) for text in texts if text)


def _text(cell: Any, formats: dict[int, Format]) -> str:
    """A cell as text: numbers plain, times as ISO 8601, a date where only a date is shown.

    A formula's error is missing.
    """
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return write_number(value, cell, formats)
    if isinstance(value, datetime) and _is_shown_as_date(value, cell.number_format):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _is_shown_as_date(value: datetime, number_format: str) -> bool:
    from openpyxl.styles.numbers import is_datetime

    is_midnight = value.time() == datetime.min.time()
    return is_midnight and is_datetime(number_format) == "date"
