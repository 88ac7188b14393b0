"""Values of a database as text, spelled as those of a Parquet file with the same types."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from uuid import UUID

import pyarrow as pa

from leadscore.ingest.readers.values import MISSING, format_values, has_text, is_number

NUMBER = "number"
TEXT = "text"


@dataclass(frozen=True)
class TextColumn:
    """Some values of a column as text, and what they are.

    Attributes:
        text: without nulls; missing values and those that have no text are "".
        kinds: `NUMBER`, `TEXT`, and the names of types that have no text, such as "bytes".
    """

    text: pa.Array
    kinds: frozenset[str]


def column_of_objects(values: Sequence[object]) -> TextColumn:
    """A column of a driver's Python objects.

    >>> column_of_objects([True, None]).text.to_pylist()
    ['true', '']
    """
    types = set(map(type, values)) - {NoneType}
    if len(types) > 1:
        return _mixed_column(values, types)
    if not types:
        return TextColumn(pa.repeat(MISSING, len(values)), frozenset())

    (kind,) = types
    if kind not in FORMATS:
        nothing = pa.repeat(MISSING, len(values))
        return TextColumn(nothing, frozenset({kind.__name__}))
    text = FORMATS[kind](values).fill_null(MISSING)
    name = NUMBER if kind in NUMBERS else TEXT
    return TextColumn(text, frozenset({name}))


def column_of_arrow(values: pa.Array) -> TextColumn:
    """A column of typed Arrow values."""
    if not has_text(values.type):
        nothing = pa.repeat(MISSING, len(values))
        return TextColumn(nothing, frozenset({str(values.type)}))
    kind = NUMBER if is_number(values.type) else TEXT
    return TextColumn(format_values(values), frozenset({kind}))


def _mixed_column(values: Sequence[object], types: set[type]) -> TextColumn:
    """A column of several types, as SQLite allows: every value as its own type has it."""
    texts = [MISSING] * len(values)
    kinds: set[str] = set()
    for kind in types:
        places = [place for place, value in enumerate(values) if type(value) is kind]
        of_kind = [values[place] for place in places]
        column = column_of_objects(of_kind)
        kinds |= column.kinds
        for place, text in zip(places, column.text.to_pylist(), strict=True):
            texts[place] = text
    text_column = pa.array(texts, pa.string())
    return TextColumn(text_column, frozenset(kinds))


def _format_as(kind: pa.DataType) -> Callable[[Sequence[object]], pa.Array]:
    """Formats objects as the Arrow type that holds them."""
    return lambda values: format_values(pa.array(values, kind))


def _format_one_by_one(to_text: Callable[[object], str]) -> Callable[[Sequence[object]], pa.Array]:
    """Formats objects one by one."""

    def format_all(values: Sequence[object]) -> pa.Array:
        texts = [None if value is None else to_text(value) for value in values]
        return pa.array(texts, pa.string())

    return format_all


def _format_times(values: Sequence[object]) -> pa.Array:
    """Times, in UTC where the database states their zone."""
    first = next(value for value in values if isinstance(value, datetime))
    zone = first.tzinfo and "UTC"
    return format_values(pa.array(values, pa.timestamp("us", zone)))


def _plain_decimal(value: object) -> str:
    """A decimal with the digits that the database gave it, never with an exponent."""
    if not isinstance(value, Decimal) or value.is_nan():
        return MISSING
    return format(value, "f")


def _seconds(value: object) -> str:
    """An interval in seconds."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else 0.0
    formatted = format_values(pa.array([seconds]))
    text: str = formatted[0].as_py()
    return text


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


NUMBERS = {int, float, Decimal, timedelta}
FORMATS: dict[type, Callable[[Sequence[object]], pa.Array]] = {
    str: lambda values: pa.array(values, pa.string()),
    bool: _format_as(pa.bool_()),
    int: _format_one_by_one(str),
    float: _format_as(pa.float64()),
    Decimal: _format_one_by_one(_plain_decimal),
    date: _format_as(pa.date32()),
    datetime: _format_times,
    time: _format_as(pa.time64("us")),
    timedelta: _format_one_by_one(_seconds),
    UUID: _format_one_by_one(str),
    dict: _format_one_by_one(_to_json),
    list: _format_one_by_one(_to_json),
}
