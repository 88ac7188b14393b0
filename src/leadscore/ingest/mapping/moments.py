"""Reads dates and times from text as UTC microseconds; every distinct text is read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.local_time import local_to_utc
from leadscore.ingest.mapping.stated_times import (
    MILLISECONDS,
    UNITS_US,
    StatedTimes,
    read_counts,
    read_days,
    read_pattern,
)
from leadscore.ingest.mapping.words import narrow, to_mask
from leadscore.ingest.mapping.written_dates import ORDERS, write_as_iso
from leadscore.ingest.readers.values import MISSING
from leadscore.times import DAY_US, SECOND_US

HALF_DAY_US = DAY_US // 2
LONGEST_DATE = len("2025-12-31")
FEW = 100

_TIME = r"\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"
ISO = rf"\A\d{{4}}-\d\d-\d\d(?:[T ]{_TIME}{_OFFSET}?)?\z"
STAMP = r"\A[1-9]\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?Z?\z"  # the usual one
HOUR = r"T(?P<hour>\d\d):"
END_OF_DAY = r"[T ]24:00((?::00(?:\.0+)?)?(?:Z|[+-]\d\d:?\d\d)?)\z"  # the next day's 00:00
LEAP_SECOND = r":59:60((?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)\z"  # the next minute's :00, as POSIX has it
ZONED = r"(?:Z|:\d\d(?:\.\d+)?[+-]\d\d(?::?\d\d)?)\z"


@dataclass(frozen=True)
class Moments:
    """Texts (n,) as UTC microseconds, 0 where one cannot be read; which can, and which are dates."""

    us: np.ndarray
    ok: np.ndarray
    is_date: np.ndarray

    def take(self, codes: np.ndarray) -> Moments:
        """The moments at these places."""
        return Moments(self.us[codes], self.ok[codes], self.is_date[codes])

    def fill(self, places: np.ndarray, others: Moments) -> None:
        """Put other moments in these places."""
        self.us[places] = others.us
        self.ok[places] = others.ok
        self.is_date[places] = others.is_date


def read_moments(text: pa.Array, *, zone: str, dates: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Dates and times as UTC microseconds.

    A date without a time is the last microsecond of that day in `zone`. A time without a zone is
    local to `zone`. Where clocks are set back and show it twice, the later moment counts, so that
    nothing is known too early; where they skip it, the first moment after.

    Args:
        text: (n,) what means one moment only, like ISO 8601, 2025/10/03 13:16 or Jan 27, 2026.
        zone: of times that name none.
        dates: how others are written. "dmy", "mdy" or "ymd": the order of dates like 03/04/2025,
            also with a year of two digits; "excel": days since 1899-12-30; "epoch_s", "epoch_ms",
            "epoch_us" or "epoch_ns": since 1970; or a pattern of `strptime`.

    Returns:
        values int64 (n,), 0 where a text cannot be read; and which can, bool (n,).
    """
    moments = _read(text, zone=zone, dates=dates)
    return moments.us, moments.ok


def find_bare_dates(text: pa.Array, *, dates: str | None) -> np.ndarray:
    """Which texts (n,) are dates without a time."""
    return _read(text, zone="UTC", dates=dates).is_date


def within_reason(us: np.ndarray) -> np.ndarray:
    """Whether moments lie from 1900 to 2200: others are typing errors, and could overflow."""
    is_late_enough = us > -70 * 365.25 * DAY_US
    return is_late_enough & (us < 230 * 365.25 * DAY_US)


def _read(text: pa.Array, *, zone: str, dates: str | None) -> Moments:
    if len(text) > FEW and (dates is None or dates in ORDERS):
        stamps = _read_stamps(text, zone=zone)
        if stamps is not None:
            return stamps
    encoded = text.dictionary_encode()
    words = encoded.dictionary
    if len(words) <= FEW:
        read = _read_few(tuple(words.to_pylist()), zone, dates)
    else:
        read = _read_distinct(words, zone=zone, dates=dates)
    return read.take(encoded.indices.to_numpy(zero_copy_only=False))


def _read_stamps(text: pa.Array, *, zone: str) -> Moments | None:
    """The same of texts (n,) that are all missing or in the form that programs write, at once.

    None if one of them is in another form.
    """
    is_stamp = pc.match_substring_regex(text, STAMP)
    is_known_form = pc.or_(is_stamp, pc.equal(text, MISSING))
    if not pc.all(is_known_form).as_py():
        return None
    stamps = pc.if_else(is_stamp, text, pa.scalar(None, pa.string()))
    without_zone = pc.utf8_rtrim(stamps, "Z")
    try:
        moments = without_zone.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:  # a 13th month
        return None

    ok = to_mask(is_stamp)
    counted = moments.cast(pa.int64()).fill_null(0)
    us = np.array(counted)
    is_zoned = to_mask(pc.ends_with(text, "Z"))
    no_date = np.zeros_like(ok)
    return _to_utc(us, ok, no_date, is_local=ok & ~is_zoned, zone=zone)


@lru_cache(maxsize=32)
def _read_few(words: tuple[str | None, ...], zone: str, dates: str | None) -> Moments:
    """The same of a few words, remembered: those of one lead are asked about several times."""
    return _read_distinct(pa.array(words, pa.string()), zone=zone, dates=dates)


def _read_distinct(words: pa.Array, *, zone: str, dates: str | None) -> Moments:
    """Each word in the first form that fits: the stated one, ISO 8601, then all others."""
    words = narrow(words)
    if dates is None or dates in ORDERS:
        return _read_written(words, zone=zone, order=dates)

    stated = _localised(_read_stated(words, dates), zone=zone)
    if dates.startswith("%Y"):  # as a stranger to it, an ISO date could have day and month swapped
        return stated
    rest = np.flatnonzero(~stated.ok)
    other_words = words.take(pa.array(rest))
    others = _read_written(other_words, zone=zone, order=None)
    stated.fill(rest, others)
    return stated


def _read_stated(words: pa.Array, dates: str) -> StatedTimes:
    if dates == "excel":
        return read_days(words)
    if dates in UNITS_US:
        return read_counts(words, dates)
    return read_pattern(words, dates)


def _localised(stated: StatedTimes, *, zone: str) -> Moments:
    rest_of_day = np.where(stated.is_date, DAY_US - 1, 0)
    us = stated.us + rest_of_day
    ok = stated.ok & within_reason(us)
    if stated.is_local:
        us[ok] = local_to_utc(us[ok], zone)
    return Moments(np.where(ok, us, 0), ok, stated.is_date & ok)


def _read_written(words: pa.Array, *, zone: str, order: str | None) -> Moments:
    """Words (n,) that are written out as dates and times, or are milliseconds since 1970."""
    is_iso = to_mask(pc.match_substring_regex(words, ISO))
    nothing = pa.scalar(None, pa.string())
    iso = pc.if_else(pa.array(is_iso), words, nothing)
    iso = pc.replace_substring(iso, ",", ".")  # before a fraction
    is_year_0 = pc.starts_with(iso, "0000")  # there was no such year
    iso = pc.if_else(is_year_0, nothing, iso)
    lengths = np.asarray(pc.binary_length(words))
    is_date = is_iso & (lengths == LONGEST_DATE)
    moments = _read_iso(iso, is_date, zone=zone)
    if is_iso.all():
        return moments

    rest = np.flatnonzero(~is_iso)
    other_words = words.take(pa.array(rest))
    others = _read_others(other_words, zone=zone, order=order)
    moments.fill(rest, others)
    return moments


def _read_others(words: pa.Array, *, zone: str, order: str | None) -> Moments:
    """Words (n,) that are not ISO 8601 as it is usually written."""
    written = write_as_iso(words, order, zone=zone)
    moments = _read_iso(written.iso, written.is_date, zone=zone, half=written.half)
    is_count = to_mask(pc.match_substring_regex(words, MILLISECONDS))
    counts = read_counts(words, "epoch_ms")
    return Moments(
        np.where(is_count, counts.us, moments.us),
        np.where(is_count, counts.ok, moments.ok),
        moments.is_date & ~is_count,
    )


def _read_iso(
    iso: pa.Array,
    is_date: np.ndarray,
    *,
    zone: str,
    half: pa.Array | None = None,
) -> Moments:
    """ISO 8601 (n,), null where there is none; `half` (n,) is "am", "pm" or ""."""
    ends_day = to_mask(pc.fill_null(pc.match_substring_regex(iso, END_OF_DAY), False))
    iso = pc.replace_substring_regex(iso, END_OF_DAY, r"T00:00\1")
    is_leap = to_mask(pc.fill_null(pc.match_substring_regex(iso, LEAP_SECOND), False))
    iso = pc.replace_substring_regex(iso, LEAP_SECOND, r":59:59\1")
    texts = iso.to_numpy(zero_copy_only=False)
    stamps = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce", cache=False)
    ok = np.asarray(stamps.notna())
    stamps_us = stamps.as_unit("us").asi8
    us = np.where(ok, stamps_us, 0)
    us[ok & ends_day] += DAY_US
    us[ok & is_leap] += SECOND_US
    if half is not None:
        us, is_hour = _add_half_days(us, half, iso)
        ok &= is_hour

    is_date = is_date & ok
    us[is_date] += DAY_US - 1

    is_zoned = to_mask(pc.match_substring_regex(iso, ZONED))
    return _to_utc(us, ok, is_date, is_local=ok & ~is_zoned, zone=zone)


def _to_utc(
    us: np.ndarray,
    ok: np.ndarray,
    is_date: np.ndarray,
    *,
    is_local: np.ndarray,
    zone: str,
) -> Moments:
    """Times (n,) of which some are local to a zone; local ones beyond reason cannot be read."""
    ok = ok & (within_reason(us) | ~is_local)
    in_zone = ok & is_local
    us[in_zone] = local_to_utc(us[in_zone], zone)
    return Moments(np.where(ok, us, 0), ok, is_date & ok)


def _add_half_days(
    us: np.ndarray,
    half: pa.Array,
    iso: pa.Array,
) -> tuple[np.ndarray, np.ndarray]:
    """Moments with their AM or PM (n,), and whether the hour of `iso` can stand before it."""
    is_pm = to_mask(pc.equal(half, "pm"))
    has_half = is_pm | to_mask(pc.equal(half, "am"))
    shown = pc.struct_field(pc.extract_regex(iso, HOUR), "hour")
    hour = pc.fill_null(shown, "0").cast(pa.int64()).to_numpy()

    is_twelve = has_half & (hour == 12)
    shifted = us + HALF_DAY_US * (is_pm.astype(np.int64) - is_twelve)
    is_half_hour = (hour >= 1) & (hour <= 12)
    return shifted, ~has_half | is_half_hour
