"""Typed columns as text: every value has one spelling, whichever file it came from."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.times import SECOND_US

EXACT_FLOATS = 2**53  # above, a float skips whole numbers
MISSING = ""  # how a missing value is spelled while rows are mapped


def format_values(values: pa.Array) -> pa.Array:
    """A column as text without nulls.

    Whole floats lose their ".0", others are the shortest text that is that number, and those that
    may have lost digits have an exponent; decimals are plain; times are ISO 8601, in UTC with "Z"
    where they have a zone, with a fraction only where there is one; durations are ISO 8601, too,
    such as PT90S; null and NaN are "".

    Raises:
        pa.ArrowException: values of that type have no text, or are not UTF-8.
    """
    if pa.types.is_dictionary(values.type):
        return format_values(values.dictionary_decode())
    text = _format(values)
    text.validate(full=True)  # a file may call text what is not UTF-8
    return text.fill_null(MISSING)


def is_number(kind: pa.DataType) -> bool:
    """Whether values of a type are numbers, whose decimal mark is known."""
    is_whole = pa.types.is_integer(kind)
    is_decimal = pa.types.is_decimal(kind)
    return bool(is_whole or is_decimal or pa.types.is_floating(kind))


def has_text(kind: pa.DataType) -> bool:
    """Whether values of a type can be read as text: lists and bytes cannot."""
    is_bytes = (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
    return not (is_bytes or pa.types.is_nested(kind))


def _format(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_floating(kind):
        return _format_floats(values)
    if pa.types.is_decimal(kind):
        return _format_decimals(values)
    if pa.types.is_timestamp(kind):
        return _format_times(values)
    if pa.types.is_duration(kind):
        return _format_durations(values)
    if pa.types.is_date64(kind):
        return values.cast(pa.date32()).cast(pa.string())
    return values.cast(pa.string())


def _format_floats(values: pa.Array) -> pa.Array:
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    is_nan = pc.is_nan(values)
    written = values.cast(pa.string())
    text = pc.if_else(is_nan, MISSING, written)

    fits_int64 = pc.less(pc.abs(values), 2.0**63)
    has_no_fraction = pc.equal(pc.floor(values), values)
    is_whole = pc.and_(has_no_fraction, fits_int64)
    whole = pc.if_else(is_whole, values, 0)
    integers = whole.cast(pa.int64())
    written_whole = integers.cast(pa.string())
    plain = pc.if_else(is_whole, written_whole, text)

    is_beyond = pc.greater_equal(pc.abs(values), float(EXACT_FLOATS))
    is_inexact = pc.fill_null(pc.and_(is_beyond, pc.is_finite(values)), False)
    if pa.types.is_float32(values.type) or not pc.any(is_inexact).as_py():
        return plain
    inexact = [write_float(word) for word in written.filter(is_inexact).to_pylist()]
    return pc.replace_with_mask(plain, is_inexact, pa.array(inexact, pa.string()))


def write_float(word: str) -> str:
    """A float plain, but with its exponent where it is inexact and ends in zeros.

    As an id it was rounded, and must not look like a whole one.

    >>> write_float("16147805824397.0"), write_float("4.00000000018e+18")
    ('16147805824397', '4.00000000018E+18')
    """
    number = Decimal(word).normalize()
    is_whole = number == number.to_integral_value()
    ends_in_zeros = is_whole and number.as_tuple().exponent != 0
    return format(number, "E" if abs(number) >= EXACT_FLOATS and ends_in_zeros else "f")


def _format_decimals(values: pa.Array) -> pa.Array:
    """Decimals as text; Arrow writes small ones with an exponent."""
    text = values.cast(pa.string())
    has_exponent = pc.match_substring(text, "E")
    if not pc.any(has_exponent).as_py():
        return text
    plain = [_plain(word) for word in text.to_pylist()]
    return pa.array(plain, pa.string())


def _plain(word: str | None) -> str | None:
    return None if word is None else format(Decimal(word), "f")


def _format_times(values: pa.Array) -> pa.Array:
    unit = values.type.unit
    zone = "UTC" if values.type.tz else None
    moments = values.cast(pa.timestamp(unit, zone))
    text = moments.cast(pa.string())
    if unit != "s":
        text = pc.replace_substring_regex(text, r"\.0+(Z?)$", r"\1")
    return pc.replace_substring(text, " ", "T")


def _format_durations(values: pa.Array) -> pa.Array:
    """Durations in seconds, whatever the unit of the column: a number would not say it."""
    us = values.cast(pa.duration("us"), safe=False).cast(pa.int64())
    size = pc.abs(us)
    seconds = pc.divide(size, SECOND_US)
    rest = pc.subtract(size, pc.multiply(seconds, SECOND_US))
    fraction = pc.utf8_lpad(rest.cast(pa.string()), width=6, padding="0")
    sign = pc.if_else(pc.less(us, 0), "-PT", "PT")
    number = pc.binary_join_element_wise(seconds.cast(pa.string()), fraction, ".")
    text = pc.binary_join_element_wise(sign, number, "S", "")
    return pc.replace_substring_regex(text, r"\.0+S$", "S")
