"""Typed columns as text: one spelling a value, whichever file it came from."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

MISSING = ""  # how a missing value is spelt while rows are mapped


def format_values(values: pa.Array) -> pa.Array:
    """A column as text without nulls.

    Whole floats lose their ".0", others are the shortest text that is that number; decimals are plain; times are
    ISO 8601, in UTC with "Z" where they have a zone, with a fraction only where there is one; null and NaN are "".

    Raises:
        pa.ArrowException: values of that type have no text, or are not UTF-8.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return format_values(values.dictionary_decode())
    if pa.types.is_floating(kind):
        text = _format_floats(values)
    elif pa.types.is_decimal(kind):
        text = _format_decimals(values)
    elif pa.types.is_timestamp(kind):
        text = _format_times(values)
    elif pa.types.is_date64(kind):
        text = values.cast(pa.date32()).cast(pa.string())
    else:
        text = values.cast(pa.string())
    text.validate(full=True)  # a file may call text what is not UTF-8
    return text.fill_null(MISSING)


def _format_floats(values: pa.Array) -> pa.Array:
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    text = values.cast(pa.string())
    text = pc.if_else(pc.is_nan(values), MISSING, text)
    whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**63))
    return pc.if_else(whole, pc.if_else(whole, values, 0).cast(pa.int64()).cast(pa.string()), text)


def _format_decimals(values: pa.Array) -> pa.Array:
    """Decimals as text; Arrow writes small ones with an exponent."""
    text = values.cast(pa.string())
    if not pc.any(pc.match_substring(text, "E")).as_py():
        return text
    return pa.array(
        [None if word is None else format(Decimal(word), "f") for word in text.to_pylist()],
        pa.string(),
    )


def _format_times(values: pa.Array) -> pa.Array:
    unit, zone = values.type.unit, values.type.tz and "UTC"
    values = values.cast(pa.timestamp(unit, zone))
    text = values.cast(pa.string())
    if unit != "s":
        text = pc.replace_substring_regex(text, r"\.0+(Z?)$", r"\1")
    return pc.replace_substring(text, " ", "T")
