"""A sheet of leads, written row by row, so that memory does not grow with the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from xlsxwriter.worksheet import Worksheet

from leadscore.report.workbook.bant import glance_at
from leadscore.report.workbook.columns import SheetColumn
from leadscore.report.workbook.styles import Styles
from leadscore.report.workbook.text import cell_text
from leadscore.report.workbook.worklist import Part, Worklist

A4 = 9  # Excel's number of the paper
MOST_LINKS = 65_530  # Excel takes no more on a sheet
LONGEST_LINK = 2_000  # characters
FROZEN_COLUMNS = 2
LINE_POINTS = 13.0  # height of a line of text
SMALL_POINTS = 10.5  # of one in small letters
MOST_POINTS = 400.0  # Excel allows 409
WIDER = 1.2  # more of the small letters fit on a line
ROOM = 0.95  # share of a line that is used before a word is wrapped


def write_leads(
    sheet: Worksheet,
    part: Part,
    columns: Sequence[SheetColumn],
    *,
    worklist: Worklist,
    styles: Styles,
) -> None:
    """Write a part of the list: a frozen header with filters, then a row a lead."""
    widths = [column.width for column in columns]
    set_up_table(sheet, widths, rows=part.listed.num_rows)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.title, styles["header"])
    line = 1
    for rows in part.rows():
        for row in _complete(rows, worklist):
            _write_row(sheet, line, row, columns, styles=styles)
            line += 1


def _complete(rows: list[dict[str, Any]], worklist: Worklist) -> list[dict[str, Any]]:
    """The rows with what people see of each lead, its address, and BANT at a glance."""
    words = [row["bant"] for row in rows]
    glances = glance_at(words, worklist.settings, as_of_us=worklist.as_of_us)
    show = worklist.settings.show
    complete = []
    for row, glance in zip(rows, glances, strict=True):
        shown: Mapping[str, str | None] = worklist.shown.get(row["lead_id"], {})
        lead = {**shown, "lead_id": row["lead_id"]}
        address = show.address_of(lead) if show else None
        complete.append({**row, **shown, "glance": glance, "address": address})
    return complete


def _write_row(
    sheet: Worksheet,
    line: int,
    row: dict[str, Any],
    columns: Sequence[SheetColumn],
    *,
    styles: Styles,
) -> None:
    """Write a lead's cells: text always as text, whatever it begins with."""
    values = [column.value(row) for column in columns]
    sheet.set_row(line, _measure_height(values, columns))
    for place, (column, value) in enumerate(zip(columns, values, strict=True)):
        if column.style in {"share", "money"}:
            if value is None:
                sheet.write_blank(line, place, None, styles[column.style])
            else:
                sheet.write_number(line, place, value, styles[column.style])
        elif column.style == "tier":
            sheet.write_string(line, place, value, styles.of_tier(value))
        elif column.style == "link":
            _write_id(sheet, line, place, row, styles=styles)
        else:
            sheet.write_string(line, place, cell_text(value), styles[column.style])


def _measure_height(values: Sequence[Any], columns: Sequence[SheetColumn]) -> float:
    """The height of a row in points in which all of its text can be read, also when printed."""
    highest = LINE_POINTS
    for column, value in zip(columns, values, strict=True):
        if isinstance(value, str):
            highest = max(highest, _measure_text(value, column))
    return min(2.0 + highest, MOST_POINTS)


def _measure_text(text: str, column: SheetColumn) -> float:
    """The height in points of a text that is wrapped to the width of its column."""
    room = column.width * ROOM
    points = LINE_POINTS
    if column.style == "small":
        room = column.width * ROOM * WIDER
        points = SMALL_POINTS

    lines = 0
    for paragraph in text.split("\n"):
        lines += max(1, ceil(len(paragraph) / room))
    return lines * points


def _write_id(
    sheet: Worksheet,
    line: int,
    place: int,
    row: Mapping[str, Any],
    *,
    styles: Styles,
) -> None:
    """Write a lead's id, as a link where it has an address that Excel takes."""
    text = cell_text(row["lead_id"])
    address = row["address"]
    if address is None or len(address) > LONGEST_LINK or line > MOST_LINKS:
        sheet.write_string(line, place, text, styles["text"])
    else:
        sheet.write_url(line, place, address, styles["link"], text)


def set_up_table(sheet: Worksheet, widths: Sequence[float], *, rows: int) -> None:
    """Widths, header, filters, and A4 pages that are one sheet wide."""
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, FROZEN_COLUMNS)
    sheet.autofilter(0, 0, rows, len(widths) - 1)
    sheet.repeat_rows(0)
    set_up_page(sheet)


def set_up_page(sheet: Worksheet) -> None:
    """Print on A4, landscape, one page wide, with the sheet's name and the page."""
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_header("&L&A")
    sheet.set_footer("&RPage &P of &N")
