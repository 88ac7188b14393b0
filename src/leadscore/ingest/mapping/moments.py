"""Reads dates and times from text as UTC microseconds; every distinct text is read once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.local_time import local_to_utc
from leadscore.ingest.mapping.words import to_mask
from leadscore.times import DAY_US, HOUR_US

HALF_DAY_US = DAY_US // 2
LONGEST_DATE = len("2025-12-31")

# Arrow matches with RE2, which has no back-references: each separator needs its own branch.
_SPACES = " \u00a0\u202f"  # browsers write a narrow no-break space before AM and PM
_SECONDS = r"(?::\d\d(?:[.,]\d{1,9})?)?"
_HALF = rf"(?:[{_SPACES}]?[AaPp]\.?[Mm]\.?)?"
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"

ISO = rf"\A\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d{_SECONDS}{_OFFSET}?)?\z"
ZONED = rf"{_OFFSET}\z"
# 24.5.2025, 5/24/2025, 24-05-2025, with a time or without; day and month in either order
LOCAL = (
    r"\A(?:\d\d?/\d\d?/|\d\d?\.\d\d?\.|\d\d?-\d\d?-)\d{4}"
    rf"(?:,? \d\d?:\d\d{_SECONDS}{_HALF})?\z"
)
LOCAL_DATE = r"\A(\d\d?)[./-](\d\d?)[./-](\d{4}),?"
LOCAL_AS_ISO = {"dmy": r"\3-\2-\1", "mdy": r"\3-\1-\2"}
AM = r"[Aa]\.?[Mm]\.?\z"
PM = r"[Pp]\.?[Mm]\.?\z"


def read_moments(text: pa.Array, *, zone: str, dates: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Dates and times as UTC microseconds.

    A date without a time is the last microsecond of that day in `zone`. A time without a zone is
    local to `zone`. Where clocks are set back and show it twice, the later moment counts, so that
    nothing is known too early; where they skip it, the first moment after.

    Args:
        text: (n,) ISO 8601, or dates like 03/04/2025, 3.4.2025 and 03-04-2025, with a time or
            without.
        zone: of times that name none.
        dates: the order of the latter, "dmy" or "mdy"; None reads ISO 8601 alone.

    Returns:
        values int64 (n,), 0 where a text cannot be read; and which can, bool (n,).
    """
    encoded = text.dictionary_encode()
    us, ok = _read_distinct(encoded.dictionary, zone=zone, dates=dates)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return us[codes], ok[codes]


def find_ambiguous_dates(text: pa.Array) -> str | None:
    """The first value that is a date only once the order of day and month is known, or None."""
    matches = text.filter(pc.match_substring_regex(text, LOCAL))
    return str(matches[0].as_py()) if len(matches) else None


def count_date_orders(text: pa.Array) -> tuple[int, int]:
    """How many values are dates only with the day first, and how many only with the month first."""
    _, day_first = read_moments(text, zone="UTC", dates="dmy")
    _, month_first = read_moments(text, zone="UTC", dates="mdy")
    only_day_first = day_first & ~month_first
    only_month_first = month_first & ~day_first
    return int(only_day_first.sum()), int(only_month_first.sum())


def within_reason(us: np.ndarray) -> np.ndarray:
    """Whether moments lie from 1900 to 2200: others are typing errors, and could overflow."""
    return (us > -70 * 365.25 * DAY_US) & (us < 230 * 365.25 * DAY_US)


def _read_distinct(
    words: pa.Array, *, zone: str, dates: str | None
) -> tuple[np.ndarray, np.ndarray]:
    iso = _write_as_iso(words, dates)
    texts = iso.to_numpy(zero_copy_only=False)
    stamps = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce", cache=False)
    ok = np.asarray(stamps.notna())
    us = np.where(ok, stamps.as_unit("us").asi8, 0)
    if dates is not None:
        us, is_hour = _add_half_days(words, us)
        ok &= is_hour

    is_date = ok & (pc.binary_length(iso).to_numpy(zero_copy_only=False) <= LONGEST_DATE)
    us[is_date] += DAY_US - 1

    is_local = ok & ~to_mask(pc.match_substring_regex(iso, ZONED))
    ok &= within_reason(us) | ~is_local
    is_local &= ok
    us[is_local] = local_to_utc(us[is_local], zone)
    return np.where(ok, us, 0), ok


def _write_as_iso(words: pa.Array, dates: str | None) -> pa.Array:
    """The moments among the words in ISO 8601, without AM and PM; null for all other words.

    Days, months and hours may have one digit only, which pandas reads.
    """
    nothing = pa.scalar(None, pa.string())
    iso = pc.if_else(pc.match_substring_regex(words, ISO), words, nothing)
    if dates is not None:
        is_local = pc.match_substring_regex(words, LOCAL)
        local = words.filter(is_local)
        date_first = pc.replace_substring_regex(local, LOCAL_DATE, LOCAL_AS_ISO[dates])
        without_half = pc.utf8_rtrim(date_first, characters=_SPACES + "AaPpMm.")
        iso = pc.replace_with_mask(iso, is_local, without_half)

    iso = pc.replace_substring(iso, ",", ".")  # before a fraction
    return pc.if_else(pc.starts_with(iso, "0000"), nothing, iso)  # there was no such year


def _add_half_days(words: pa.Array, us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moments with their AM or PM (n,), and whether their hour can stand before it."""
    is_am = to_mask(pc.match_substring_regex(words, AM))
    is_pm = to_mask(pc.match_substring_regex(words, PM))
    has_half = is_am | is_pm
    hour = us % DAY_US // HOUR_US

    is_twelve = has_half & (hour == 12)
    shifted = us + HALF_DAY_US * (is_pm.astype(np.int64) - is_twelve)
    return shifted, ~has_half | ((hour >= 1) & (hour <= 12))
