"""How the dates of a column are written, as its values show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from leadscore.ingest.mapping.moments import read_moments
from leadscore.onboarding.words import CLOSED, CREATED, WHEN, speaks_of
from leadscore.times import parse_moment

ORDERS = ("dmy", "mdy", "ymd")
COUNTS = ("epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "excel")
DIGITS = "%Y%m%d"  # of dates such as 20260131
LEAST_US, MOST_US = parse_moment("2000-01-01", zone="UTC"), parse_moment("2040-01-01", zone="UTC")
MOSTLY = 0.98
WIDE = 4  # times the span of dates that are read as they were meant


def find_date_form(name: str, values: Sequence[str]) -> str | None:
    """How dates are written: "iso", as `dates` calls it, "either", or None for no dates.

    Milliseconds since 1970 are read in every form, and count as "iso". Other counted times, such as
    seconds, are dates only where the name of the column says so.

    >>> find_date_form("Nr", ["20260131", "20251224"]), find_date_form("Nr", ["1", "2"])
    ('%Y%m%d', None)
    >>> find_date_form("Begin", ["31-Jan-26", "24-Dec-25"])
    'dmy'
    """
    if not values:
        return None
    texts = pa.array(values, pa.string())
    if _share_of_dates(texts, None) >= MOSTLY:
        return "iso"
    written = [order for order in ORDERS if _share_of_dates(texts, order) >= MOSTLY]
    if written:
        likely = _likely_orders(texts, written)
        return "either" if len(likely) > 1 else likely[0]
    forms = [DIGITS] if all(value.isdigit() for value in values) else []
    if speaks_of(name, f"{CREATED} {CLOSED} {WHEN}"):
        forms += COUNTS
    counted = (form for form in forms if _share_of_dates(texts, form) >= MOSTLY)
    return next(counted, None)


def _share_of_dates(texts: pa.Array, form: str | None) -> float:
    """The share of texts that are dates in that form; of counted ones, of this century."""
    us, ok = read_moments(texts, zone="UTC", dates=form)
    if form in (DIGITS, *COUNTS):
        is_recent = (us >= LEAST_US) & (us < MOST_US)
        ok = ok & is_recent
    return float(np.mean(ok))


def _likely_orders(texts: pa.Array, orders: Sequence[str]) -> list[str]:
    """The orders by which dates lie close together: days taken for years lie decades apart.

    Of orders that give the same dates, the first.
    """
    orders_of: dict[bytes, str] = {}
    spans: dict[str, int] = {}
    for order in orders:
        us, ok = read_moments(texts, zone="UTC", dates=order)
        first = orders_of.setdefault(us.tobytes(), order)
        spans[first] = int(np.ptp(us[ok]))
    narrowest = min(spans.values())
    return [order for order, span in spans.items() if span <= WIDE * narrowest]
