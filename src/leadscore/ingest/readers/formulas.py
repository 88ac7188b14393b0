"""Formulas of a sheet that no program has computed: their cells are empty, or 0."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from leadscore.wording import counted, listed

BLOCK_BYTES = 1 << 20
NAME = rb"(?:\w+:)?"
FORMULA = re.compile(
    b"<" + NAME + rb'c r="(?P<column>[A-Z]{1,3})(?P<row>\d{1,7})"(?P<type>[^>]*)>'
    b"<" + NAME + rb"f\b(?:[^>]*/>|[^>]*>[^<]*</" + NAME + b"f>)"
    b"(?:<" + NAME + rb"v>(?P<value>[^<]*)</)?"
)
MARKS = (b"f></", b"/></c>", b"<v></", b":c>")  # without one, no formula lacks a value
ZERO = b"<v>0</"
CELL_END = b"c>"
TEXT = b't="str"'  # of a formula that gives a text, which may be empty
BOOK = "xl/workbook.xml"
TO_COMPUTE = b'fullCalcOnLoad="1"'  # programs write it that compute nothing, some with 0 as a value


def doubt_formulas(sheet: Any, names: dict[int, str], *, below: int) -> str | None:
    """What to say of formulas without a value in the rows `below` one of a sheet, or None.

    Args:
        sheet: as openpyxl reads it.
        names: of the columns that are read, by their place from 0.
        below: the row of the header.
    """
    from openpyxl.utils import column_index_from_string

    archive = sheet.parent._archive
    is_to_compute = BOOK in archive.namelist() and TO_COMPUTE in archive.read(BOOK)
    marks = (*MARKS, ZERO) if is_to_compute else MARKS
    with sheet._get_source() as source:
        if not any(mark in block for block in _blocks(source) for mark in marks):
            return None
    with sheet._get_source() as source:
        values = _count_values(source, below=below)
    count = 0
    columns = []
    for letters, by_value in values.items():
        name = names.get(column_index_from_string(letters) - 1)
        has_values = not by_value.keys() <= ({b"", b"0"} if is_to_compute else {b""})
        without = by_value[b""] if has_values else by_value.total()
        if name is not None and without:
            count += without
            columns.append(name)
    if not count:
        return None
    formulas = counted(count, "formula", "formulas")
    return (
        f"sheet {sheet.title!r} has {formulas} in {listed(columns)} that no program has computed; "
        "their cells count as missing or 0. Open the workbook in a spreadsheet program, save it, "
        "and read it again"
    )


def _count_values(source: BinaryIO, *, below: int) -> dict[str, Counter[bytes]]:
    """By column of a sheet's XML, how often its formulas have a value, b"" for none."""
    counts: dict[str, Counter[bytes]] = {}
    for block in _blocks(source):
        for cell in FORMULA.finditer(block):
            if int(cell["row"]) > below:
                column = cell["column"].decode()
                value = TEXT if TEXT in cell["type"] else cell["value"] or b""
                counts.setdefault(column, Counter())[value] += 1
    return counts


def _blocks(source: BinaryIO) -> Iterator[bytes]:
    """XML in blocks of whole cells."""
    rest = b""
    while block := source.read(BLOCK_BYTES):
        text = rest + block
        cells, end, rest = text.rpartition(CELL_END)
        yield cells + end
    yield rest
