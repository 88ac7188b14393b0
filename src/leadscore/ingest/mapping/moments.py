"""Reads dates and times from text, many at once: texts that are written alike are read as columns of digits."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.times import DAY_US, EPOCH, FOREVER_US, SECOND_US

DATE = r"\d{4}-\d{2}-\d{2}"
LONGEST = 40  # bytes of a moment, with room to spare
ZERO = ord("0")

# A shape is a text with each digit as 0. Group names: year, month, day, hour, minute, second, fraction, ...
ISO = re.compile(
    rb"(?P<year>0{4})-(?P<month>00)-(?P<day>00)"
    rb"(?:[T ](?P<hour>00):(?P<minute>00)(?::(?P<second>00)(?:[.,](?P<fraction>0{1,9}))?)?"
    rb"(?P<zone>Z|[+-](?P<zone_hour>00):?(?P<zone_minute>00))?)?"
)
_SPACE = rb"(?: |\xc2\xa0|\xe2\x80\xaf)"  # browsers write a narrow no-break space before AM and PM
_CLOCK = (
    rb"(?:,? (?P<hour>00?):(?P<minute>00)(?::(?P<second>00)(?:[.,](?P<fraction>0{1,9}))?)?"
    rb"(?:" + _SPACE + rb"?(?P<half>[AaPp])\.?[Mm]\.?)?)?"
)
DAY_FIRST = re.compile(rb"(?P<day>00?)([./-])(?P<month>00?)\2(?P<year>0{4})" + _CLOCK)
MONTH_FIRST = re.compile(rb"(?P<month>00?)([./-])(?P<day>00?)\2(?P<year>0{4})" + _CLOCK)
SHAPES = {None: (ISO,), "dmy": (ISO, DAY_FIRST), "mdy": (ISO, MONTH_FIRST)}


def read_moments(text: pa.Array, *, zone: str, dates: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Dates and times as UTC microseconds; returns (values int64, ok bool), (n,) each.

    ISO 8601 is read as it is; 03/04/2025, 3.4.2025 and 03-04-2025, with a time or without, only if `dates` says in
    which order: "dmy" or "mdy". A date without a time is the last microsecond of that day in `zone`. A time without
    a zone is local to `zone`; where a clock change makes it ambiguous the later moment counts, so that nothing is
    known early, and where it skips it the first moment after.
    """
    us = np.zeros(len(text), dtype=np.int64)
    ok = np.zeros(len(text), dtype=bool)
    local = np.zeros(len(text), dtype=bool)
    for rows, chars, shape in texts_by_shape(text):
        found = next(
            (match for pattern in SHAPES[dates] if (match := pattern.fullmatch(shape))), None
        )
        if found:
            us[rows], ok[rows] = _read_shape(chars, found)
            local[rows] = not found.groupdict().get("zone")
    local &= ok
    if local.any():
        us[local], ok[local] = _localize(us[local], zone)
    return np.where(ok, us, 0), ok


def find_ambiguous_dates(text: pa.Array) -> str | None:
    """The first value that is a date only once the order of day and month is known, or None."""
    first = len(text)
    for rows, _, shape in texts_by_shape(text):
        if DAY_FIRST.fullmatch(shape):
            first = min(first, int(rows[0]))
    return None if first == len(text) else str(text[first].as_py())


def count_date_orders(text: pa.Array) -> tuple[int, int]:
    """How many values are dates only with the day first, and how many only with the month first."""
    _, day_first = read_moments(text, zone="UTC", dates="dmy")
    _, month_first = read_moments(text, zone="UTC", dates="mdy")
    return int((day_first & ~month_first).sum()), int((month_first & ~day_first).sum())


def within_reason(us: np.ndarray) -> np.ndarray:
    """Whether moments lie from 1900 to 2200: the rest are typing errors, and arithmetic on them could overflow."""
    return (us > -70 * 365.25 * DAY_US) & (us < 230 * 365.25 * DAY_US)


def texts_by_shape(text: pa.Array) -> Iterator[tuple[np.ndarray, np.ndarray, bytes]]:
    """(rows, their bytes (n, length), their common shape) of all texts that could be moments."""
    sizes = pc.binary_length(text).to_numpy(zero_copy_only=False)
    for size in np.unique(sizes):
        if not 0 < size <= LONGEST:
            continue
        rows = np.flatnonzero(sizes == size)
        chars = _bytes(text if len(rows) == len(text) else text.take(pa.array(rows)), int(size))
        shapes = np.where((chars >= ZERO) & (chars <= ZERO + 9), np.uint8(ZERO), chars)
        alike = (shapes == shapes[0]).all(axis=1)
        yield rows[alike], chars[alike], shapes[0].tobytes()
        if not alike.all():
            yield from _by_other_shapes(rows[~alike], chars[~alike], shapes[~alike])


def _by_other_shapes(
    rows: np.ndarray, chars: np.ndarray, shapes: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, bytes]]:
    keys, codes = np.unique(
        np.ascontiguousarray(shapes).view(f"V{shapes.shape[1]}").ravel(), return_inverse=True
    )
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(keys) + 1))
    for key, begin, end in zip(keys, bounds, bounds[1:], strict=False):
        part = order[begin:end]
        yield rows[part], chars[part], key.tobytes()


def _bytes(text: pa.Array, size: int) -> np.ndarray:
    """The bytes (n, size) of texts that all have so many."""
    _, offsets, data = text.buffers()
    begin = np.frombuffer(offsets, dtype=np.int32)[text.offset]
    return np.frombuffer(data, dtype=np.uint8)[begin : begin + len(text) * size].reshape(
        len(text), size
    )


def _read_shape(chars: np.ndarray, found: re.Match[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Moments (n,) of one shape, as its clock shows them or in UTC where it names a zone, and which are real."""
    parts = found.groupdict()

    def number(name: str) -> np.ndarray:
        return number_at(chars, found, name)

    year, month, day = number("year"), number("month"), number("day")
    days, ok = _count_days(year, month, day)
    if not parts.get("hour"):
        return (days + 1) * DAY_US - 1, ok
    hour, minute, second = number("hour"), number("minute"), number("second")
    if half := parts.get("half"):
        ok &= (hour >= 1) & (hour <= 12)
        hour = hour % 12 + 12 * (half in b"Pp")
    ok &= (hour < 24) & (minute < 60) & (second < 60)
    us = days * DAY_US + (hour * 3600 + minute * 60 + second) * SECOND_US
    if fraction := parts.get("fraction"):
        us += number("fraction") * 10 ** (6 - min(len(fraction), 6))
    if parts.get("zone_hour"):
        away, past = number("zone_hour"), number("zone_minute")
        ok &= (away < 24) & (past < 60)
        us -= (away * 3600 + past * 60) * SECOND_US * (-1 if parts["zone"].startswith(b"-") else 1)
    return us, ok


def number_at(chars: np.ndarray, found: re.Match[bytes], name: str) -> np.ndarray:
    """The number (n,) that stands at a group of a shape; 0 where the shape lacks the group."""
    value = np.zeros(len(chars), dtype=np.int64)
    if not found.groupdict().get(name):
        return value
    begin, end = found.span(name)
    for i in range(begin, min(end, begin + 6)):  # a fraction is cut to microseconds
        value = value * 10 + (chars[:, i] - ZERO)
    return value


def _count_days(
    year: np.ndarray, month: np.ndarray, day: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970-01-01, and which of the dates are in the calendar."""
    ok = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(ok, year * 12 + month - 1, 0)
    begins = _month_begins()
    ok &= day <= begins[months + 1] - begins[months]
    return begins[months] + day - 1, ok


@cache
def _month_begins() -> np.ndarray:
    """The days since 1970-01-01 at which each month begins, from the year 0 to 10000."""
    return (
        np.arange("0000-01", "10000-02", dtype="datetime64[M]")
        .astype("datetime64[D]")
        .astype(np.int64)
    )


def _localize(us: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """What clocks of a zone show as UTC, and which are within reason; none else is changed."""
    ok = within_reason(us)
    changes, offsets = _offsets(zone)
    shown = changes + offsets  # what the clock shows just after each change
    i = (
        np.searchsorted(shown, us[ok], side="right") - 1
    )  # the later of two moments that a clock shows twice
    after = np.append(changes[1:], FOREVER_US)
    us = us.copy()
    us[ok] = np.minimum(
        us[ok] - offsets[i], after[i]
    )  # what a clock skips is the moment of its change
    return us, ok


@cache
def _offsets(zone: str) -> tuple[np.ndarray, np.ndarray]:
    """When (UTC) the offset of a zone changes, from 1890 to 2210, and its offset from then on; microseconds."""
    tz = ZoneInfo(zone)

    def offset(second: int) -> int:
        local = (EPOCH + timedelta(seconds=second)).astimezone(tz)
        ahead = local.utcoffset()
        assert ahead is not None  # noqa: S101 - a moment with a zone has one
        return int(ahead / timedelta(seconds=1))

    day = DAY_US // SECOND_US
    first, last = -80 * 365 * day, 240 * 366 * day
    changes, offsets = [first], [offset(first)]
    for end in range(first + day, last, day):
        if (now := offset(end)) != offsets[-1]:
            behind = range(end - day, end + 1)
            changes.append(
                behind[bisect_left(behind, True, key=lambda second: offset(second) == now)]
            )
            offsets.append(now)
    return np.array(changes) * SECOND_US, np.array(offsets) * SECOND_US
