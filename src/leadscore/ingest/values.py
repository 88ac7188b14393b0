"""Reads text and typed columns as ids, numbers in minor units and moments; what cannot be read is marked."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.times import DAY_US

MISSING = ""  # how a missing value is spelt while rows are mapped
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?")
DATE = r"\d{4}-\d{2}-\d{2}"
ZONED = rf"{DATE}[T ]\d.*(?:Z|[+-]\d{{2}}:?\d{{2}})"
NAIVE = rf"{DATE}[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d+)?)?"
INT_LIMIT = 2**53  # above it a float64 skips integers


def read_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Any column as text; missing values and blanks become "", and whole floats lose their ".0"."""
    if pd.api.types.is_float_dtype(column.dtype):
        column = pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan), index=column.index)
        whole = (column % 1 == 0) & (column.abs() < 2**63)
        text = column.astype("str").where(~whole, column.where(whole, 0).astype("int64").astype("str"))
    else:
        text = column.astype("str")
    return pd.Series(text.where(column.notna(), MISSING).str.strip().astype("str"))


def read_number(text: pd.Series[Any], *, decimals: int) -> tuple[np.ndarray, np.ndarray]:
    """Decimal text as integers of 10**-decimals; returns (values int64, ok bool), halves rounded to even."""
    codes, words = pd.factorize(text)
    numbers = [round(Decimal(word).scaleb(decimals)) if NUMBER.fullmatch(word) else INT_LIMIT for word in words]
    ok = np.array([abs(number) < INT_LIMIT for number in numbers], dtype=bool)
    values = np.array([number if fine else 0 for number, fine in zip(numbers, ok, strict=True)], dtype=np.int64)
    return values[codes], ok[codes]


def read_moments(column: pd.Series[Any], *, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Dates and times as UTC microseconds; returns (values int64, ok bool).

    A date without a time is the last microsecond of that day in `zone`. A time without a zone is local to
    `zone`; where a clock change makes it ambiguous the later moment counts, so that nothing is known early,
    and where it skips it the first moment after.
    """
    kind = column.dtype.pyarrow_dtype if isinstance(column.dtype, pd.ArrowDtype) else None
    if kind is not None and str(kind).startswith("timestamp"):
        ok = column.notna().to_numpy()
        us = (
            pa.array(column.array)
            .cast(pa.timestamp("us", kind.tz), safe=False)
            .cast(pa.int64())
            .fill_null(0)
            .to_numpy()
        )
        if kind.tz:
            return us, ok
        return _to_us(_localize(pd.Series(us.astype("datetime64[us]")).where(ok), zone))
    text = read_text(column)
    us = np.zeros(len(text), dtype=np.int64)
    ok = np.zeros(len(text), dtype=bool)
    for pattern in (DATE, ZONED, NAIVE):
        rows = text.str.fullmatch(pattern).to_numpy(dtype=bool)
        if not rows.any():
            continue
        stamps = pd.to_datetime(text[rows], format="ISO8601", errors="coerce", utc=pattern == ZONED).dt.as_unit("us")
        if pattern == DATE:
            stamps = stamps + pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)
        us[rows], ok[rows] = _to_us(stamps if pattern == ZONED else _localize(stamps, zone))
    return us, ok


def _localize(stamps: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Local times as UTC; none where they are out of reason, since the standard library ends with the year 9999."""
    stamps = stamps.where(within_reason(stamps.to_numpy(dtype="datetime64[us]").astype(np.int64)))
    standard_time = np.zeros(len(stamps), dtype=bool)  # the later of two moments that a clock shows twice
    local = stamps.dt.tz_localize(zone, ambiguous=standard_time, nonexistent="shift_forward")
    return pd.Series(local.dt.tz_convert("UTC"))


def _to_us(stamps: pd.Series[Any]) -> tuple[np.ndarray, np.ndarray]:
    ok = stamps.notna().to_numpy()
    return np.where(ok, stamps.to_numpy(dtype="datetime64[us]").astype(np.int64), 0), ok


def within_reason(us: np.ndarray) -> np.ndarray:
    """Whether moments lie from 1900 to 2200: the rest are typing errors, and arithmetic on them could overflow."""
    return (us > -70 * 365.25 * DAY_US) & (us < 230 * 365.25 * DAY_US)
