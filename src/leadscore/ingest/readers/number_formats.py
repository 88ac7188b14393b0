"""Numbers of cells as their formats show them: with zeros before them, or a mark that is not stored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leadscore.ingest.readers.values import write_float
from leadscore.wording import listed

LITERAL = re.compile(r'"[^"]*"|\\.')
LANGUAGE = re.compile(r"\[\$-[^\]]*\]")  # which says no currency
CURRENCY = re.compile(r"\[\$([^\]-]+)|([\u20ac\u00a3\u00a5\u20b9\u20a9$])")
PERCENT = "%"


class NumberText(str):
    """The text of a cell that the workbook stores as a number."""

    __slots__ = ()


class MarkedNumber(NumberText):
    """The same of a number beside which its format shows a `mark`, % or a currency."""

    __slots__ = ("mark",)
    mark: str


@dataclass(frozen=True)
class Format:
    """How many digits a format of zeros shows, else 0; and the mark that it adds, or ""."""

    zeros: int
    mark: str


def _read_format(number_format: str) -> Format:
    zeros = 0 if number_format.strip("0") else len(number_format)
    if PERCENT in LITERAL.sub("", number_format):
        return Format(zeros, PERCENT)
    currency = CURRENCY.search(LANGUAGE.sub("", number_format))
    return Format(zeros, (currency[1] or currency[2]).strip() if currency else "")


def write_number(value: int | float, cell: Any, formats: dict[int, Format]) -> NumberText:
    """A number in full; 42 is 00042 where its format is 00000, as for ids.

    `formats` are those of the cells before, by style: a workbook has few, and looks each up slowly.
    """
    text = str(value) if isinstance(value, int) else write_float(repr(value))
    shown = formats.get(cell._style_id)
    if shown is None:
        shown = formats[cell._style_id] = _read_format(cell.number_format)
    if shown.zeros and isinstance(value, int) and value >= 0:
        text = text.zfill(shown.zeros)
    if not shown.mark:
        return NumberText(text)
    number = MarkedNumber(text)
    number.mark = shown.mark
    return number


def doubt_marks(title: str, column: str, texts: Sequence[str]) -> Iterator[str]:
    """What to say of a sheet's column in which marks that are not read make numbers differ."""
    marked = {text.mark: text for text in texts if isinstance(text, MarkedNumber)}
    where = f"sheet {title!r} shows the numbers of {column!r}"
    share = marked.pop(PERCENT, None)
    plain = next(filter(_is_above_1, texts), None) if share is not None else None
    if plain is not None:
        yield (
            f"{where} in two scales: {share} is shown as a percentage, {plain} is not. Numbers are "
            "read as they are stored: give the whole column one format"
        )
    if len(marked) > 1:
        yield (
            f"{where} in {listed(list(marked))} by the formats of its cells, which are not read: "
            "add a column with the currency of each amount"
        )


def _is_above_1(text: str) -> bool:
    return type(text) is NumberText and abs(float(text)) > 1
