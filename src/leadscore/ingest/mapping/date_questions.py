"""What dates look like that cannot be read as they stand, and the setting that would say it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.moments import read_moments, within_reason
from leadscore.ingest.mapping.words import narrow
from leadscore.ingest.mapping.written_dates import BLANKS, ORDERS
from leadscore.times import format_us

# a text with three numbers: 24.5.2025, 5/24/2025, 24-05-25, with a time or without
LOCAL = (
    r"\A(?:\d\d?/\d\d?/|\d\d?\.\d\d?\.|\d\d?-\d\d?-)(?:\d{4}|\d\d)"
    rf"(?:,?{BLANKS}\d\d?:\d\d.*|,? \d\d?:\d\d.*)?\z"
)
NAMED = r"\A\d\d?[ ./-]+[^\d ./-]{3,12}[ ./-]+\d\d(?:,? .*)?$"  # 27-Jan-26


@dataclass(frozen=True)
class Form:
    """A form of date that has to be stated: which texts have it, what they are, and the setting."""

    pattern: str
    meaning: str
    dates: str


ABBREVIATED = r"\d ?(?:[AaPp]\.? ?[Mm]\.?)? ?\(?[A-Z]{3,5}\)?\z"  # 09:15 PST
ZONES = (  # those whose abbreviations exports show, the likelier of two with the same one first
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Athens",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Australia/Sydney",
    "Africa/Johannesburg",
)
FORMS = (
    Form(r"\A\d{9,10}(?:[.,]\d+)?\z", "seconds since 1970", "epoch_s"),
    Form(r"\A(?:19|20)\d{10}\z", "year to minute", "%Y%m%d%H%M"),
    Form(r"\A\d{12,13}(?:[.,]\d+)?\z", "milliseconds since 1970", "epoch_ms"),
    Form(r"\A\d{15,16}(?:[.,]\d+)?\z", "microseconds since 1970", "epoch_us"),
    Form(r"\A\d{18,19}(?:[.,]\d+)?\z", "nanoseconds since 1970", "epoch_ns"),
    Form(r"\A\d{5}(?:[.,]\d+)?\z", "days as a spreadsheet counts them", "excel"),
    Form(r"\A(?:19|20)\d{6}\z", "year, month and day", "%Y%m%d"),
    Form(r"\A(?:19|20)\d{12}\z", "year to second", "%Y%m%d%H%M%S"),
)


def ask_about(text: pa.Array, dates: str | None) -> str | None:
    """The question that unread dates (n,) pose, with the setting to write; None if they pose none.

    Values are shown: they are dates.
    """
    text = narrow(text)
    question = _ask_about_zone(text, dates) or _ask_about_order(text, dates)
    if question is not None:
        return question
    for form in FORMS:
        alike = text.filter(pc.match_substring_regex(text, form.pattern))
        us, ok = read_moments(alike, zone="UTC", dates=form.dates)
        ok &= within_reason(us)
        is_read = 2 * ok.sum() > len(text)
        if form.dates != dates and is_read:
            first = int(np.flatnonzero(ok)[0])
            return (
                f"like {alike[first].as_py()!r}, which look like {form.meaning} "
                f"({format_us(int(us[first]))}): if they are, set dates = "
                f'"{form.dates}" for the source'
            )
    return None


def count_date_orders(text: pa.Array) -> dict[str, int]:
    """For each order of day, month and year, how many values (n,) are dates in that order alone."""
    can_read = {}
    for order in ORDERS:
        _, can_read[order] = read_moments(text, zone="UTC", dates=order)
    is_clear = np.sum(list(can_read.values()), axis=0) == 1
    return {order: int((ok & is_clear).sum()) for order, ok in can_read.items()}


def find_ambiguous_dates(text: pa.Array) -> str | None:
    """The first value that is a date only once the order of its numbers is known, or None."""
    is_ambiguous = pc.or_(
        pc.match_substring_regex(text, LOCAL), pc.match_substring_regex(text, NAMED)
    )
    matches = text.filter(is_ambiguous)
    if not len(matches):
        return None
    return str(matches[0].as_py())


def _ask_about_zone(text: pa.Array, dates: str | None) -> str | None:
    alike = text.filter(pc.match_substring_regex(text, ABBREVIATED))
    if 2 * len(alike) <= len(text):
        return None
    for zone in ZONES:
        _, ok = read_moments(alike, zone=zone, dates=dates)
        if 2 * ok.sum() > len(text):
            first = alike[int(np.flatnonzero(ok)[0])].as_py()
            return (
                f"like {first!r}, and several zones share such a name: if this one is {zone}, set "
                f'timezone = "{zone}" for the source, else the one that it is'
            )
    return None


def _ask_about_order(text: pa.Array, dates: str | None) -> str | None:
    value = find_ambiguous_dates(text)
    if value is None:
        return None
    if dates is None and re.match(NAMED, value):
        return (
            f'like {value!r}: if the year comes last, set dates = "dmy" for the source, else "ymd"'
        )
    counts = count_date_orders(text)
    evidence = (
        f"{counts['dmy']} of its values can only have the day first, {counts['mdy']} only the month"
    )
    if counts["ymd"]:
        evidence += f", {counts['ymd']} only the year"
    if dates in ORDERS and not any(counts.values()):
        return None  # something else is wrong
    if dates in ORDERS:
        return f'like {value!r}, which dates = "{dates}" does not fit: {evidence}'
    return (
        f'like {value!r}: day or month first? {evidence}; set dates = "dmy" or "mdy" for the source'
    )
