"""Reads how long something took, as whole seconds."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.numbers import read_numbers
from leadscore.ingest.mapping.words import Words, to_mask

UNITS = {"duration_s": 1.0, "duration_ms": 0.001, "duration_min": 60.0}  # of plain numbers
PARTS = 1000  # a plain number is read to the thousandth
MOST_HOURS = 23  # before :mm; more are probably minutes before :ss

CLOCK = re.compile(r"(?P<h>\d{1,3}):(?P<m>[0-5]?\d)(?::(?P<s>[0-5]?\d)(?:[.,]\d+)?)?")
_HOURS = r"(?:(?P<h>\d{1,9})\s*(?:h|hr|hrs|hour|hours|std)\.?)?"
_MINUTES = r"(?:(?P<m>\d{1,9})\s*(?:m|min|mins|minute|minutes)\.?)?"
_SECONDS = r"(?:(?P<s>\d{1,9})\s*(?:s|sec|secs|second|seconds)\.?)?"
UNITED = re.compile(rf"{_HOURS}[\s,]*{_MINUTES}[\s,]*{_SECONDS}", re.IGNORECASE)
ISO = re.compile(r"PT(?:(?P<h>\d{1,9})H)?(?:(?P<m>\d{1,9})M)?(?:(?P<s>\d{1,9})(?:\.\d+)?S)?")
UNIT_OR_COLON = "[^0-9.,]"  # a duration without either is a plain number
NOT_SPELLED = -1


def read_durations(text: pa.Array, *, unit: str, decimal: str) -> tuple[np.ndarray, np.ndarray]:
    """Seconds, int64 (n,), and which texts could be read, bool (n,).

    A plain number counts in the `unit` of `UNITS`. Others say their unit: 00:27 and 0:27:30 (hours
    first), 27 min, 1h 5m, PT27M.
    """
    values, ok = read_numbers(text, decimals=3, decimal=decimal)
    exact = values * UNITS[unit] / PARTS
    seconds = np.rint(exact).astype(np.int64)

    words = Words.of(text)
    may_be_spelled = pc.match_substring_regex(words.distinct, UNIT_OR_COLON)
    places = np.flatnonzero(to_mask(may_be_spelled))
    spelled = [_read_spelled(word) for word in words.at(places)]
    of_words = np.full(len(words.distinct), NOT_SPELLED)
    of_words[places] = [NOT_SPELLED if number is None else number for number in spelled]

    of_rows = of_words[words.codes]
    is_spelled = of_rows != NOT_SPELLED
    return np.where(is_spelled, of_rows, seconds), ok | is_spelled


def _read_spelled(word: str) -> int | None:
    """The seconds of a duration that says its units, or None."""
    for form in (CLOCK, UNITED, ISO):
        match = form.fullmatch(word)
        if match is None or not any(match.groups()):
            continue
        is_short = form is CLOCK and match["s"] is None
        if is_short and int(match["h"]) > MOST_HOURS:
            return None
        hours, minutes, seconds = (int(match[name] or 0) for name in "hms")
        return 3600 * hours + 60 * minutes + seconds
    return None
