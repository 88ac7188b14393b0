"""Reads how long something took, as whole seconds."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.numbers import read_numbers
from leadscore.ingest.mapping.words import Words, narrow, to_mask

UNITS = {"duration_s": 1.0, "duration_ms": 0.001, "duration_min": 60.0}  # of plain numbers
PARTS = 1000  # a plain number is read to the thousandth
MOST_HOURS = 23  # before :mm; more are probably minutes before :ss

DAYS = r"(?:(?P<d>\d{1,3}) days?,? )?"  # as Python writes it, 1 day, 2:03:00
CLOCK = re.compile(DAYS + r"(?P<h>\d{1,3}):(?P<m>[0-5]?\d)(?::(?P<s>[0-5]?\d)(?:[.,]\d+)?)?")
NAMED_CLOCK = re.compile(
    r"(?P<first>\d{1,4}):(?P<second>[0-5]\d) ?(?P<unit>h|hrs?|std|min)\.?", re.I
)
TWO_PARTS = r"\A[0-9]{1,3}:[0-9]{2}\z"
ISO = re.compile(
    r"P(?:(?P<d>\d{1,3})D)?"
    r"(?:T(?:(?P<h>\d{1,9})H)?(?:(?P<m>\d{1,9})M)?(?:(?P<s>\d{1,9})(?:\.\d+)?S)?)?"
)
UNIT_WORDS = {
    "d": r"d|days?|tage?|jours?|d\u00edas?|\u65e5|\u5929|\uc77c",
    "h": r"h|hrs?|hours?|std|stunden?|heures?|horas?|\u6642\u9593|\u5c0f[\u65f6\u6642]|\uc2dc\uac04",
    "m": r"m|mins?|minutes?|minuten?|minutos?|\u5206[\u949f\u9418]?|\ubd84",
    "s": r"s|secs?|seconds?|sek|sekunden?|secondes?|segundos?|\u79d2|\ucd08",
}
SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
UNIT_OR_COLON = "[^0-9.,]"  # a duration without either is a plain number
NOT_SPELLED = -1
NOT_ZERO = "[1-9]"
FEWEST = 5  # durations, before they show a scale
LONG_S = 3 * 3600  # longer than calls and meetings usually are


def find_fractions(text: pa.Array, seconds: np.ndarray) -> str | None:
    """The first of several durations (n,) that are all of a second or less, or None.

    They are probably parts of an hour or of a day.
    """
    is_none = seconds == 0
    is_tiny = is_none & to_mask(pc.match_substring_regex(text, NOT_ZERO))
    if is_tiny.sum() < FEWEST or seconds.max() > 1:
        return None
    return str(text[int(np.flatnonzero(is_tiny)[0])].as_py())


def find_doubtful_clock(text: pa.Array, seconds: np.ndarray) -> str | None:
    """The first of durations (n,) like 05:12 if most are longer than 3 hours so read, or None.

    They are probably minutes and seconds.
    """
    has_two_parts = to_mask(pc.match_substring_regex(narrow(text), TWO_PARTS))
    is_long = has_two_parts & (seconds > LONG_S)
    if has_two_parts.sum() < FEWEST or 2 * is_long.sum() <= has_two_parts.sum():
        return None
    return str(text[int(np.flatnonzero(is_long)[0])].as_py())


def read_durations(text: pa.Array, *, unit: str, decimal: str) -> tuple[np.ndarray, np.ndarray]:
    """Seconds, int64 (n,), and which texts could be read, bool (n,).

    A plain number counts in the `unit` of `UNITS`. Others say their unit: 00:27 and 0:27:30 (hours
    first), 1:05 h, 27:30 min, 1h 5m, 1.5 h, 2 days 3:00:00, PT27M.
    """
    values, ok = read_numbers(text, decimals=3, decimal=decimal)
    exact = values * UNITS[unit] / PARTS
    seconds = np.rint(exact).astype(np.int64)

    words = Words.of(narrow(text))
    may_be_spelled = pc.match_substring_regex(words.distinct, UNIT_OR_COLON)
    places = np.flatnonzero(to_mask(may_be_spelled))
    spelled = [_read_spelled(word, decimal) for word in words.at(places)]
    of_words = np.full(len(words.distinct), NOT_SPELLED)
    of_words[places] = [NOT_SPELLED if number is None else number for number in spelled]

    of_rows = of_words[words.codes]
    is_spelled = of_rows != NOT_SPELLED
    return np.where(is_spelled, of_rows, seconds), ok | is_spelled


@lru_cache(maxsize=2)
def _united(decimal: str) -> re.Pattern[str]:
    """The pattern of numbers with their units; behind the other mark stand one or two digits."""
    other = "," if decimal == "." else "."
    number = rf"(?:\d{{1,9}}(?:[{decimal}]\d+|[{other}]\d\d?)?|[{decimal}]\d+)"
    parts = [rf"(?:(?P<{name}>{number})\s*(?:{words})\.?)?" for name, words in UNIT_WORDS.items()]
    return re.compile(r"[\s,]*".join(parts), re.IGNORECASE)


def _read_spelled(word: str, decimal: str) -> int | None:
    """The seconds of a duration that says its units, or None."""
    named = NAMED_CLOCK.fullmatch(word)
    if named:
        unit = SECONDS["m" if named["unit"].lower() == "min" else "h"]
        return int(named["first"]) * unit + int(named["second"]) * unit // 60
    for form in (CLOCK, _united(decimal), ISO):
        match = form.fullmatch(word)
        if match is None or not any(match.groups()):
            continue
        is_short = form is CLOCK and match["s"] is None
        if is_short and int(match["h"]) > MOST_HOURS:
            return None
        numbers = {name: (match[name] or "0").replace(",", ".") for name in SECONDS}
        return round(sum(float(number) * SECONDS[name] for name, number in numbers.items()))
    return None
