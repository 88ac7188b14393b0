"""Reads a sheet of an Excel workbook, its cells as the text that a CSV of it would hold."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from leadscore.errors import UserError
from leadscore.ingest.readers.batch import (
    BATCH_ROWS,
    Batch,
    SourceFile,
    number_columns,
    pick_columns,
    trim_columns,
)
from leadscore.settings.source import Source
from leadscore.wording import listed

LAST_ROW = 1_048_576  # of any sheet


class _NumberText(str):
    """The text of a cell that the workbook stores as a number."""

    __slots__ = ()


def read_workbook(file: SourceFile, source: Source, *, columns: Sequence[str]) -> Iterator[Batch]:
    """The named columns of a sheet, batch by batch; a row's line is its number in the sheet.

    openpyxl is slow, but python-calamine trusts what a file says of its sizes, and ends the process where it lies.

    Raises:
        SourceFormatError: it is no workbook, or has no such sheet, or several and none is named.
        MissingColumnsError: the sheet has not all the columns.
    """
    lines, texts = _read_columns(file, source, columns)
    typed = frozenset(
        name for name, text in zip(columns, texts, strict=True) if _is_number_column(text)
    )
    for first in range(0, len(lines), BATCH_ROWS):
        part = slice(first, first + BATCH_ROWS)
        parts = [pa.array(text[part], pa.string()) for text in texts]
        yield Batch(
            np.array(lines[part], dtype=np.int64), trim_columns(parts, columns), typed=typed
        )


def read_workbook_names(file: SourceFile, source: Source) -> list[str]:
    """The names of the columns of a sheet."""
    with _opened(file) as book:
        _, first = next(_filled_rows(file, _choose_sheet(file, book, source.sheet)), (0, []))
    return number_columns(len(first)) if source.header is False else first


def _read_columns(
    file: SourceFile, source: Source, columns: Sequence[str]
) -> tuple[list[int], list[list[str]]]:
    """The numbers of the filled rows, and the text that they have in each of the columns."""
    with _opened(file) as book:
        rows = _filled_rows(file, _choose_sheet(file, book, source.sheet))
        number, first = next(rows, (0, []))
        if not first:
            raise file.refusal(
                "is empty" if source.sheet is None else f"has nothing in its sheet {source.sheet!r}"
            )
        names = number_columns(len(first)) if source.header is False else first
        picks = pick_columns(file, names, columns)
        lines, texts = [], [[] for _ in picks]  # type: tuple[list[int], list[list[str]]]
        for line, row in chain([(number, first)] if source.header is False else [], rows):
            lines.append(line)
            for text, pick in zip(texts, picks, strict=True):
                text.append(row[pick] if pick < len(row) else "")
    return lines, texts


@contextmanager
def _opened(file: SourceFile) -> Iterator[Any]:
    """The workbook while it is read; whatever goes wrong meanwhile is said of the file."""
    from openpyxl import load_workbook  # slow to import, and few need it

    try:
        with (
            warnings.catch_warnings(
                action="ignore"
            ),  # of what it does not support, like drop-down lists
            file.path.open("rb") as opened,  # openpyxl leaves it open where it stops in its midst
            closing(
                load_workbook(opened, read_only=True, data_only=True, keep_links=False)
            ) as book,
        ):
            yield book
    except UserError:
        raise
    except (
        Exception
    ) as e:  # whatever a damaged part brings about: openpyxl checks little of what it reads
        raise file.refusal(f"cannot be read as an Excel workbook: {e}") from e


def _choose_sheet(file: SourceFile, book: Any, sheet: str | None) -> Any:
    sheets = {found.title: found for found in book.worksheets}
    if sheet is None and len(sheets) != 1:
        raise file.refusal(f"has the sheets {listed(list(sheets))}; set sheet to one of them")
    if sheet is not None and sheet not in sheets:
        raise file.refusal(f"has no sheet {sheet!r}; it has {listed(list(sheets))}")
    return sheets[sheet or next(iter(sheets))]


def _filled_rows(file: SourceFile, sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Each row in which something stands, with its number in the sheet."""
    sheet.reset_dimensions()  # what it says of its size may be wrong
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number > LAST_ROW:
            raise file.refusal(
                f"has more than {LAST_ROW} rows in its sheet {sheet.title!r}: it is damaged"
            )
        row = [_text(cell) for cell in cells]
        if any(row):
            yield number, row


def _is_number_column(texts: list[str]) -> bool:
    return all(isinstance(text, _NumberText) for text in texts if text)


def _text(cell: Any) -> str:
    """A cell as text: numbers plain, times as ISO 8601, a date where only a date is shown; an error is missing."""
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return _NumberText(value)
    if isinstance(value, float):
        return _NumberText(format(Decimal(repr(value)).normalize(), "f"))
    if (
        isinstance(value, datetime)
        and _shows_date_only(cell.number_format)
        and value.time() == datetime.min.time()
    ):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _shows_date_only(form: str) -> bool:
    from openpyxl.styles.numbers import is_datetime

    return bool(is_datetime(form) == "date")
