"""Values of JSON as text: every value has the spelling that other files have for it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from leadscore.ingest.readers.values import EXACT_FLOATS, MISSING, write_float

MOST_DIGITS = 50  # of a number that is written out; 1e999999 would fill the memory
Json = Any  # what a parser gives for one line: nested objects, lists and values


class BadLineError(Exception):
    """A line that is no row; the message says what is wrong without showing values."""


class Number(str):
    """The text of a JSON number."""

    __slots__ = ()


def read_row(line: str) -> dict[str, str]:
    """The values of the object that a line holds, by column, as `flatten` names them.

    Raises:
        BadLineError: it is no JSON object, or has a key twice, or what is no text.
    """
    try:
        row = flatten(_parse_object(line))
    except json.JSONDecodeError as e:
        raise BadLineError(f"is no JSON: {e.msg} at character {e.colno}") from e
    except RecursionError as e:
        raise BadLineError("is nested too deeply") from e
    if "\\u" in line:
        _check_characters("".join((*row, *row.values())))
    return row


def _parse_object(line: str) -> dict[str, Json]:
    """The object that a line holds, its numbers as `Number`."""
    parsed = json.loads(
        line,
        parse_int=Number,
        parse_float=_shorten,
        parse_constant=_refuse_constant,
        object_pairs_hook=_build_object,
    )
    if not isinstance(parsed, dict):
        raise BadLineError('is JSON, but no object like {"id": 1}')
    return parsed


def flatten(row: dict[str, Json], *, prefix: str = "") -> dict[str, str]:
    """All values of an object as text, those of nested objects under names with dots.

    Null is missing, a list is kept as JSON.

    Raises:
        BadLineError: two values would be in one column.

    >>> flatten({"id": "7", "properties": {"dealname": "Acme", "tags": ["a", "b"]}})
    {'id': '7', 'properties.dealname': 'Acme', 'properties.tags': '["a","b"]'}
    """
    fields: dict[str, str] = {}
    for key, value in row.items():
        name = prefix + key
        inner = {name: _text(value)}
        if isinstance(value, dict) and value:
            inner = flatten(value, prefix=f"{name}.")
        if not fields.keys().isdisjoint(inner):
            raise BadLineError(f"has more than one value for the column {name!r}")
        fields |= inner
    return fields


def to_json(value: Json) -> str:
    """A list, or what stands in one, as JSON without blanks; numbers as they were written."""
    if isinstance(value, Number):
        return value
    if isinstance(value, list):
        return f"[{','.join(to_json(item) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_quote(key)}:{to_json(item)}" for key, item in value.items())
        return f"{{{','.join(pairs)}}}"
    return _quote(value)


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if value is None or value == {}:
        return MISSING
    return to_json(value)


def _quote(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shorten(text: str) -> Number:
    """A number with a fraction or an exponent: plain, without zeros at its end."""
    number = Decimal(text)
    if abs(number.adjusted()) > MOST_DIGITS:
        return Number(text)
    if abs(number) >= EXACT_FLOATS and number == number.to_integral_value():  # it was a float
        return Number(write_float(text))
    plain = format(number, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return Number(plain)


def _refuse_constant(name: str) -> Json:
    raise BadLineError(f"holds {name}, which is no JSON")


def _build_object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    built = dict(pairs)
    if len(built) < len(pairs):
        raise BadLineError("has an object with the same key twice")
    return built


def _check_characters(text: str) -> None:
    """Refuse halves of characters and NUL, which escapes can spell and no text holds."""
    if "\0" in text:
        raise BadLineError("holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as e:
        raise BadLineError(r"holds half a character, like \ud800") from e
