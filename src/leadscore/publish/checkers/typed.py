"""Checks that several contracts share: keys, numbers, dates, lengths and the types of fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from math import inf
from typing import Any

from leadscore.publish.checkers.csv_bytes import Table

NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
LENGTH = re.compile(r"\((\d+)\)")
DIGITS = re.compile(r"\((\d+), (\d+)\)")  # before and after the point
NUMERIC = ("Number", "Currency", "Whole Number", "Float", "Numerical", "Monetary", "number")
DATED = ("Date", "datetime")
Json = Mapping[str, Any]
IsDate = Callable[[str], bool]


def count_utf16(text: str) -> int:
    """The length as Java and .NET count it."""
    return len(text.encode("utf-16-le")) // 2


def is_date(text: str, pattern: str, shape: str) -> bool:
    """Whether a text is a moment in exactly this shape."""
    if re.fullmatch(shape, text, re.ASCII) is None:
        return False
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007
    except ValueError:
        return False
    return True


def is_plain_date(text: str) -> bool:
    """Whether a text is a date as 2026-03-01."""
    return is_date(text, "%Y-%m-%d", r"\d{4}-\d{2}-\d{2}")


def check_keys(table: Table, names: Iterable[str], *, refuse: Callable[[str], str]) -> None:
    """Refuse rows whose key is empty, no key of the CRM, or there twice."""
    names = list(names)
    missing = [name for name in names if name not in table.header]
    for name in missing:
        table.refuse(1, name, "the key's column is missing")
    if missing:
        return
    columns = [list(table.column(name)) for name in names]
    seen: dict[tuple[str, ...], int] = {}
    for cells in zip(*columns, strict=True):
        line = cells[0][0]
        key = tuple(value for _, value in cells)
        if not all(key):
            table.refuse(line, names[0], "the key is empty")
            continue
        problem = refuse(key[0])
        if problem:
            table.refuse(line, names[0], problem)
        if key in seen:
            table.refuse(line, names[0], f"the key is there already, on line {seen[key]}")
        seen.setdefault(key, line)


def check_owner(table: Table, name: str, form: re.Pattern[str], *, words: str) -> None:
    """Refuse owners that are no users of the CRM.

    Args:
        table: the file.
        name: the CRM's own field of the owner.
        form: of a user's id.
        words: what the id must be.
    """
    for line, value in table.column(name):
        if value and not form.fullmatch(value):
            table.refuse(line, name, f"{value!r} is no {words}")


def check_length(table: Table, *, most: int) -> None:
    """Refuse values that are longer than any field."""
    for record in table.records:
        for name, value in zip(table.header, record.values, strict=False):
            if len(value) * 2 > most and count_utf16(value) > most:
                table.refuse(record.line, name, f"longer than {most:,} characters")


def check_types(
    table: Table,
    fields: Json | None,
    *,
    is_moment: IsDate,
    blanks: Iterable[str] = ("",),
) -> None:
    """Refuse values that do not fit the types of the list of fields that comes with the file."""
    if fields is None:
        return
    types = {field["field"]: field["type"] for field in fields["fields"]}
    allowed = set(blanks)
    for name, kind in types.items():
        check = _find_check(kind, is_moment)
        for line, value in table.column(name):
            problem = "" if value in allowed else check(value)
            if problem:
                table.refuse(line, name, problem)
    known = {*types, fields["key"]["field"]}
    for name in table.header:
        if name not in known and not name.endswith("entitytype"):
            table.refuse(1, name, "the column is not in the list of fields")


def _find_check(kind: str, is_moment: IsDate) -> Callable[[str], str]:
    if kind.startswith(NUMERIC):
        digits = DIGITS.search(kind)
        most = 10.0 ** int(digits.group(1)) if digits else inf
        return lambda value: _find_number_problem(value, most)
    if kind.startswith(DATED):
        return lambda value: "" if is_moment(value) else f"{value!r} is no date of this format"
    limit = LENGTH.search(kind)
    if limit is None:
        return lambda _: ""
    most = int(limit.group(1))
    return lambda value: f"longer than {most} characters" if count_utf16(value) > most else ""


def _find_number_problem(value: str, most: float) -> str:
    if not NUMBER.fullmatch(value):
        return f"{value!r} is no number"
    if abs(float(value)) >= most:
        return f"{value} has more digits than the field"
    return ""
