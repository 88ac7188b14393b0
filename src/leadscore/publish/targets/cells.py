"""Values of a list as the cells of a target: numbers, dates and texts in its own way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from leadscore.publish.targets.columns import COLUMNS, PERCENT
from leadscore.publish.targets.kind import Blank, Cell, Layout, TargetField
from leadscore.publish.targets.text import clean_text, cut_text
from leadscore.times import EPOCH

Write = Callable[[Any], Cell]


def writer_of(field: TargetField, layout: Layout) -> Write:
    """What makes the values of a field cells."""
    column = COLUMNS[field.column]
    if field.column == "rep_id":
        return lambda value: _write_text(value, layout) if value else Blank.KEEP
    if column.type in {"number", "money"}:
        return _number_writer(field, layout)
    if column.type == "moment":
        return lambda value: Blank.CLEAR if value is None else format_moment(value, layout.moment)
    if column.type == "flag":
        return _write_flag
    codes = layout.kind.codes.get(field.column)
    if codes is not None:
        return lambda value: codes.get(value, Blank.CLEAR)
    return lambda value: _write_text(value, layout)


def _number_writer(field: TargetField, layout: Layout) -> Write:
    low, high = layout.kind.limits.get(field.name, (None, None))
    # a field with limits in percent may be given the probability itself
    is_share = high is not None and field.column == "win_probability"
    column = "win_percent" if is_share else field.column
    decimals = layout.kind.decimals.get(column, COLUMNS[column].decimals)
    scale = PERCENT if is_share else 1.0

    def write(value: float | None) -> Cell:
        if value is None:
            return Blank.CLEAR
        number = value * scale
        if low is not None and high is not None:
            number = min(max(number, low), high)
        return format_number(number, decimals)

    return write


def format_number(number: float, decimals: int | None) -> str:
    """A number with a point, and no sign before zero; without `decimals` in full precision.

    >>> format_number(-0.001, 2), format_number(0.1, None)
    ('0.00', '0.1')
    """
    if decimals is None:
        return repr(float(number))
    text = f"{number:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def format_moment(us: int, pattern: str) -> str:
    """A moment in UTC, as `strftime` writes it; {ms} stands for three digits of a second."""
    moment = EPOCH + timedelta(microseconds=us)
    text = moment.strftime(pattern)
    return text.replace("{ms}", f"{moment.microsecond // 1000:03d}")


def _write_flag(value: bool | None) -> Cell:
    return Blank.CLEAR if value is None else str(value).lower()


def _write_text(value: str | None, layout: Layout) -> Cell:
    """A text that the target holds unchanged; none is a clear."""
    text = cut_text(clean_text(value or ""), most=layout.text_length)
    if not text:
        return Blank.CLEAR
    if layout.kind.clear and text == layout.kind.clear:
        return text.lstrip("#")  # a lead's own text must not clear a field
    return text
