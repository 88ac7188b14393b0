"""Reads a sheet of an Excel workbook, its cells as the text that a CSV of it would hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from leadscore.config import Source
from leadscore.errors import listed
from leadscore.ingest.batch import BATCH_ROWS, Batch, SourceFile, number_columns, pick_columns, trim_columns


def read_workbook(file: SourceFile, source: Source, *, columns: Sequence[str]) -> Iterator[Batch]:
    """The named columns of a sheet, batch by batch; a row's line is its number in the sheet.

    Raises:
        SourceFormatError: it is no workbook, or has no such sheet, or several and none is named.
        MissingColumnsError: the sheet has not all the columns.
    """
    try:
        with CalamineWorkbook.from_path(file.path) as book:
            rows = [list(row) for row in _choose_sheet(file, book, source.sheet).iter_rows()]
    except (CalamineError, OSError) as e:
        raise file.refusal(f"cannot be read as an Excel workbook: {e}; is it protected by a password?") from e
    filled = [i for i, row in enumerate(rows) if any(cell != "" for cell in row)]
    if not filled:
        raise file.refusal("is empty" if source.sheet is None else f"has nothing in its sheet {source.sheet!r}")
    if source.header is False:
        names = number_columns(len(rows[filled[0]]))
    else:
        names = _texts(rows[filled[0]])
        filled = filled[1:]
    picks = pick_columns(file, names, columns)
    texts = [_texts([rows[i][pick] for i in filled]) for pick in picks]
    for first in range(0, len(filled), BATCH_ROWS):
        part = slice(first, first + BATCH_ROWS)
        lines = np.array(filled[part], dtype=np.int64) + 1
        yield Batch(lines, trim_columns([pa.array(text[part], pa.string()) for text in texts], columns))


def _choose_sheet(file: SourceFile, book: CalamineWorkbook, sheet: str | None) -> CalamineSheet:
    names = book.sheet_names
    if sheet is None and len(names) != 1:
        raise file.refusal(f"has the sheets {listed(names)}; set sheet to one of them")
    if sheet is not None and sheet not in names:
        raise file.refusal(f"has no sheet {sheet!r}; it has {listed(names)}")
    return book.get_sheet_by_name(sheet or names[0])


def _texts(cells: Sequence[Any]) -> list[str]:
    """The cells of a column as text.

    A workbook does not part a date from its midnight: cells without a time are dates, unless another cell of
    the column has one.
    """
    timed = any(isinstance(cell, datetime) for cell in cells)
    return [_text(cell, timed=timed) for cell in cells]


def _text(cell: Any, *, timed: bool) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return format(Decimal(repr(cell)).normalize(), "f")
    if isinstance(cell, date):
        return cell.isoformat() + ("T00:00:00" if timed and not isinstance(cell, datetime) else "")
    return str(cell)
