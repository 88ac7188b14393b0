"""Dates and times as people and programs write them, as ISO 8601: what can mean one day only is read.

Each distinct text is read once; all of them at a time, by Arrow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.local_time import read_offsets
from leadscore.ingest.mapping.month_names import read_month
from leadscore.ingest.mapping.words import Words, to_mask

ORDERS = ("dmy", "mdy", "ymd")
PIVOT = 69  # a year of two digits lies from 1969 to 2068, as POSIX has it

BLANKS = "[ \t\u00a0\u2007\u2009\u202f]+"  # browsers write a narrow no-break space before AM and PM
_HALF = r"[AaPp]\.? ?[Mm]\.?"
_OFFSET = r"Z|[+-]\d\d(?::?\d\d)?"
# RE2 has no back-references, so each separator of a time needs no check: it is always ":".
TIME = (
    r"(?:(?:T|,? (?:at )?|,)(?P<time>\d\d?:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)"
    rf"(?P<half> ?{_HALF})?(?P<offset> ?(?:{_OFFSET}))?)?\z"
)
NUMBERS = r"\A(?P<a>\d{1,4})(?P<s>[./-])(?P<b>\d\d?)(?P<t>[./-])(?P<c>\d{1,4})" + TIME
_LETTER = "[^\x00-@\\[-`{-\x7f]"  # RE2 is slow to prepare \p{L}
_WEEKDAY = rf"(?:{_LETTER}+\.?,? )?"
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th|er|[ºª]|\.)?"
_MONTH = rf"(?P<month>{_LETTER}+)\.?"
_JOINT = r"(?: ?[-/.,] ?| (?:of |de )?)"
NAMES = (
    rf"\A{_WEEKDAY}{_DAY}{_JOINT}{_MONTH}(?:,? (?:de )?|[-/.])(?P<year>\d{{4}}|\d\d)" + TIME,
    rf"\A{_WEEKDAY}{_MONTH}[ -]{_DAY}(?:, ?|[ -])(?P<year>\d{{4}})" + TIME,
    rf"\A(?P<year>\d{{4}})[ /.-]{_MONTH}[ /.-](?P<day>\d\d?)" + TIME,
)
_CLOCK = rf"(:\d\d(?:[.,]\d+)?(?: ?{_HALF})?)"
ZONE_NAMES = (  # a text's end -> what says the same
    (r"([+-]\d\d:?\d\d) ?\([^()0-9]+\)\z", r"\1"),  # JavaScript adds (Central European Time)
    (r"(Z|[+-]\d\d:?\d\d)\[[A-Za-z_/+-]+\]\z", r"\1"),  # Java adds [Europe/Berlin]
    (_CLOCK + r" ?([+-]\d\d:?\d\d) [A-Z]{3,5}\z", r"\1\2"),  # Go adds UTC or CEST
    (_CLOCK + r" ?(?:UTC|GMT|\((?:UTC|GMT)\))\z", r"\1Z"),
    (r" ?(?:UTC|GMT)([+-])(\d(?::\d\d)?)\z", r"\10\2"),  # RE2: group 1, then a 0
    (r" ?(?:UTC|GMT)([+-]\d\d(?::?\d\d)?)\z", r"\1"),
)
_WORD = rf"{_LETTER}+"
_DATE_END = r"((?:\d{4}|[./-]\d\d),?)[ -]"
_REST = rf"((?: ?{_HALF})?(?: ?(?:{_OFFSET}))?)\z"
_SHOWN = r"\d\d?:\d\d(?::\d\d)?"
_JAPANESE = r"(?:0?[1-9]|1[01]):\d\d(?::\d\d)?"  # whether 12 is noon or midnight, writers differ
RESPELLINGS = (  # rarer forms -> what `NUMBERS` or `NAMES` read
    (r"\A(\d{4})(\d\d)(\d\d)T(\d\d):?(\d\d)", r"\1-\2-\3T\4:\5"),  # the basic form of ISO 8601
    (r"(T\d\d:\d\d)(\d\d)", r"\1:\2"),
    (r"\A(\d{4})(\d\d)(\d\d) (\d\d:\d\d)", r"\1-\2-\3 \4"),
    (r" ?(?:\([月火水木金土日월화수목금토일]\)|[月火水木金土日]曜日?|[월화수목금토일]요일)", ""),
    (r" ?(?:星期|周|週|礼拜|禮拜)[一二三四五六日天]", ""),
    (r"\A(\d{4}) ?[年년] ?(\d\d?) ?[月월] ?(\d\d?) ?[日일号號] ?", r"\1-\2-\3 "),
    (r"\A(\d{4})\. (\d\d?)\. (\d\d?)\.?( |\z)", r"\1-\2-\3 "),  # Korean
    (r"(\d\d?)[時时시点點]\z", r"\1:00"),
    (r"(\d\d?)[時时시点點] ?(\d\d?)[分분](?: ?(\d\d?)[秒초])?\z", r"\1:\2:\3"),
    (r":(\d)(:|\z)", r":0\1\2"),
    (r":(\d):?\z", r":0\1"),
    (rf" ?(?:上午|오전) ?({_SHOWN}):?\z", r" \1 AM"),
    (rf" ?(?:下午|오후) ?({_SHOWN}):?\z", r" \1 PM"),
    (rf" ?午前 ?({_JAPANESE}):?\z", r" \1 AM"),
    (rf" ?午後 ?({_JAPANESE}):?\z", r" \1 PM"),
    (r" ?午前 ?0{1,2}(:\d\d(?::\d\d)?):?\z", r" 12\1 AM"),
    (r" ?午後 ?0{1,2}(:\d\d(?::\d\d)?):?\z", r" 12\1 PM"),
    (
        rf"\A(?:{_WORD} )?({_WORD} \d\d?) (\d\d:\d\d:\d\d)((?: [A-Z]{{3,4}})?) (\d{{4}})\z",
        r"\1 \4 \2\3",
    ),
    (r" (?:um|à|kl\.?|klo|alle|o|a las|às) (\d\d?[:.h]\d\d)", r" \1"),
    (r" Uhr\z", ""),
    (r" (\d\d?)h(\d\d)\z", r" \1:\2"),
    (rf"{_DATE_END}(\d\d?)\.(\d\d){_REST}", r"\1 \2:\3\4"),  # 3.1.2025 9.15
    (rf"{_DATE_END}(\d\d?)\.(\d\d)\.(\d\d(?:\.\d+)?){_REST}", r"\1 \2:\3:\4\5"),  # of Oracle
    (r"(\d{4}) \x{433}\.?( |,|\z)", r"\1\2"),  # the Russian abbreviation of year
    (r"[: ]\z", ""),
)


@dataclass(frozen=True)
class WrittenMoments:
    """Texts (n,) as ISO 8601, null where they are none; and what was taken from them.

    `half` (n,) is "am", "pm" or "" and must be added; `is_date` (n,) are those without a time.
    """

    iso: pa.Array
    half: pa.Array
    is_date: np.ndarray

    def fill(self, places: np.ndarray, others: WrittenMoments) -> WrittenMoments:
        """The same with other moments in these places."""
        is_place = np.zeros(len(self.is_date), dtype=bool)
        is_place[places] = True
        mask = pa.array(is_place)
        is_date = self.is_date.copy()
        is_date[places] = others.is_date
        iso = pc.replace_with_mask(self.iso, mask, others.iso)
        half = pc.replace_with_mask(self.half, mask, others.half)
        return WrittenMoments(iso, half, is_date)


def write_as_iso(words: pa.Array, order: str | None, *, zone: str = "UTC") -> WrittenMoments:
    """Dates with or without a time, among distinct texts.

    Args:
        words: (n,) texts.
        order: "dmy", "mdy" or "ymd", of dates whose parts could be either, and of those with a year
            of two digits; None reads neither.
        zone: whose abbreviations, such as CET and CEST, are read.
    """
    plain = _plain(words)
    written = _write_plain(plain, order)
    rest = np.flatnonzero(to_mask(pc.is_null(written.iso)))
    if not len(rest):
        return written

    rare = _replace(plain.take(pa.array(rest)), RESPELLINGS)
    rare = _replace(rare, ZONE_NAMES)
    rare = _replace(rare, _abbreviations(zone))
    return written.fill(rest, _write_plain(rare, order))


def _write_plain(plain: pa.Array, order: str | None) -> WrittenMoments:
    iso = pa.nulls(len(plain), pa.string())
    half = pa.array([""] * len(plain), pa.string())
    is_date = np.zeros(len(plain), dtype=bool)
    for form in (NUMBERS, *NAMES):
        parts = pc.extract_regex(plain, form)
        if parts.null_count == len(parts):
            continue
        date = _numeric_date(parts, order) if form == NUMBERS else _named_date(parts, order)
        iso = pc.coalesce(iso, _with_time(date, parts))
        is_read = pc.is_valid(date)
        half = pc.if_else(is_read, _half_of(parts), half)
        has_no_time = pc.equal(_part(parts, "time"), "")
        is_date |= to_mask(pc.and_(is_read, has_no_time))
    return WrittenMoments(iso, half, is_date)


def _plain(words: pa.Array) -> pa.Array:
    """Texts with single blanks, and UTC as Z."""
    single_blanks = pc.replace_substring_regex(words, BLANKS, " ")
    plain = pc.utf8_trim_whitespace(single_blanks)
    return _replace(plain, ZONE_NAMES)


def _replace(texts: pa.Array, spellings: Iterable[tuple[str, str]]) -> pa.Array:
    for pattern, instead in spellings:
        texts = pc.replace_substring_regex(texts, pattern, instead)
    return texts


@lru_cache(maxsize=8)
def _abbreviations(zone: str) -> tuple[tuple[str, str], ...]:
    """How a zone's abbreviations, behind a time, are replaced by their offsets."""
    return tuple(
        (rf"{_CLOCK} ?\(?{name}\)?\z", rf"\1{offset}")
        for name, offset in read_offsets(zone).items()
    )


def _part(parts: pa.StructArray, name: str) -> pa.Array:
    """A part of the matched texts; "" where there is none."""
    values = pc.struct_field(parts, name)
    return pc.fill_null(values, "")


def _half_of(parts: pa.StructArray) -> pa.Array:
    letters = pc.replace_substring_regex(_part(parts, "half"), "[ .]", "")
    return pc.utf8_lower(letters)


def _numeric_date(parts: pa.StructArray, order: str | None) -> pa.Array:
    """Dates of three numbers; null where these could be in another order than `order`."""
    first, second, last = (_part(parts, name) for name in "abc")
    first_length = np.asarray(pc.utf8_length(first))
    last_length = np.asarray(pc.utf8_length(last))
    same_mark = pc.equal(_part(parts, "s"), _part(parts, "t"))
    one_mark = to_mask(same_mark)

    has_year_first = one_mark & (first_length == 4) & (last_length <= 2)
    date = _join(first, second, last, has_year_first)
    if order is None:
        return date

    is_matched = first_length > 0
    is_short = is_matched & one_mark & (first_length <= 2) & (last_length <= 2)
    if order == "ymd":
        year_first = _join(_century(first), second, last, is_short)
        return pc.coalesce(date, year_first)
    has_year_last = one_mark & (first_length <= 2) & (last_length == 4)
    month, day = (second, first) if order == "dmy" else (first, second)
    year_last = _join(_century(last), month, day, has_year_last | is_short)
    return pc.coalesce(date, year_last)


def _named_date(parts: pa.StructArray, order: str | None) -> pa.Array:
    """Dates with the name of a month; 27-Jan-26 only where `order` says which number is the year."""
    words = Words.of(_part(parts, "month"))
    numbers = [read_month(word) for word in words.texts]
    texts = [None if number is None else str(number) for number in numbers]
    month = words.take(texts)

    first_year = _part(parts, "year")
    first_day = _part(parts, "day")
    is_short = np.asarray(pc.utf8_length(first_year)) == 2
    has_month = np.asarray(pc.is_valid(month))
    ok = has_month & to_mask(pc.is_valid(parts))
    year = first_year
    day = first_day
    if order is None:
        ok &= ~is_short
    elif order == "ymd":
        is_swapped = pa.array(is_short)
        year = pc.if_else(is_swapped, first_day, first_year)
        day = pc.if_else(is_swapped, first_year, first_day)
    month_text = pc.fill_null(month, "")
    return _join(_century(year), month_text, day, ok)


def _century(year: pa.Array) -> pa.Array:
    """Years with four digits, where they have one or two."""
    words = Words.of(year)
    return words.take([_four_digits(text) for text in words.texts])


def _four_digits(year: str) -> str:
    if not 0 < len(year) <= 2:
        return year
    century = 1900 if int(year) >= PIVOT else 2000
    return str(century + int(year))


def _join(year: pa.Array, month: pa.Array, day: pa.Array, ok: np.ndarray) -> pa.Array:
    """Year, month and day of two digits, as ISO 8601; null where it is not `ok` (n,)."""
    two_digits = [pc.utf8_lpad(part, width=2, padding="0") for part in (month, day)]
    date = pc.binary_join_element_wise(year, *two_digits, "-")
    nothing = pa.scalar(None, pa.string())
    return pc.if_else(pa.array(ok), date, nothing)


def _with_time(date: pa.Array, parts: pa.StructArray) -> pa.Array:
    """Dates with the time that stands behind them, if any."""
    time = pc.replace_substring(_part(parts, "time"), ",", ".")
    is_short = pc.match_substring_regex(time, r"\A\d:")
    padded = pc.binary_join_element_wise("0", time, "")
    time = pc.if_else(is_short, padded, time)
    offset = pc.utf8_trim_whitespace(_part(parts, "offset"))
    moment = pc.binary_join_element_wise(date, time, "T")
    moment = pc.binary_join_element_wise(moment, offset, "")
    return pc.if_else(pc.equal(time, ""), date, moment)
