"""Reads numbers and amounts of money from text, as whole minor units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import DecimalMarkError
from leadscore.ingest.mapping.currencies import LONGEST, MINUS, split_currency
from leadscore.ingest.mapping.plain_numbers import Units, is_whole, read_plain
from leadscore.ingest.mapping.words import Words, narrow, to_mask

INT_LIMIT = 2**53  # above it a float64 skips integers
SPACES = " \u00a0\u2009\u202f'\u2019"  # between thousands; Swiss amounts have apostrophes
THOUSANDS = {".": "," + SPACES, ",": "." + SPACES}


def _compile_number(mark: str) -> re.Pattern[str]:
    """The pattern of a number with that decimal mark."""
    grouped = (
        rf"[1-9][0-9]{{0,2}}(?P<between>[{THOUSANDS[mark]}])[0-9]{{3}}(?:(?P=between)[0-9]{{3}})*"
    )
    indian = r"[1-9][0-9]?(?P<lakhs>,)(?:[0-9]{2},)*[0-9]{3}" if mark == "." else r"(?P<lakhs>(?!))"
    whole = rf"(?P<whole>[0-9]+|{grouped}|{indian})(?:[{mark}](?P<part>[0-9]*))?"
    return re.compile(
        rf"(?P<open>\()?(?P<sign>[+{MINUS}])?"
        rf"(?:{whole}|[{mark}](?P<below>[0-9]+))"  # Oracle writes .45
        r"(?:[eE](?P<power>[+-]?[0-9]{1,2}))?"
        rf"(?P<behind>[{MINUS}])?(?P<close>\))?"
    )


# "L" is left out: it may be a lakh or a litre; "CR" too, which accountants write for credit.
SCALES = {
    "k": 3,
    "K": 3,
    "tsd": 3,
    "Tsd": 3,
    "tys": 3,
    "\u0442\u044b\u0441": 3,
    "thousand": 3,
    "M": 6,
    "MM": 6,
    "mn": 6,
    "Mn": 6,
    "Mio": 6,
    "mio": 6,
    "mln": 6,
    "Mln": 6,
    "\u043c\u043b\u043d": 6,
    "million": 6,
    "Million": 6,
    "bn": 9,
    "Bn": 9,
    "B": 9,
    "Mrd": 9,
    "mld": 9,
    "Mld": 9,
    "\u043c\u043b\u0440\u0434": 9,
    "billion": 9,
    "lakh": 5,
    "Lakh": 5,
    "lakhs": 5,
    "Lakhs": 5,
    "lac": 5,
    "lacs": 5,
    "Lac": 5,
    "Cr": 7,
    "cr": 7,
    "crore": 7,
    "Crore": 7,
    "crores": 7,
    "Crores": 7,
    "\u5343": 3,  # of Chinese, Japanese and Korean
    "\ucc9c": 3,
    "\u4e07": 4,
    "\u842c": 4,
    "\ub9cc": 4,
    "\u767e\u4e07": 6,
    "\ubc31\ub9cc": 6,
    "\u5343\u4e07": 7,
    "\ucc9c\ub9cc": 7,
    "\u4ebf": 8,
    "\u5104": 8,
    "\uc5b5": 8,
}
SCALED = re.compile(rf"(?P<number>.*[0-9]) ?(?P<scale>{'|'.join(SCALES)})\.?(?P<end>\)?)")
DEBIT = re.compile(r"[0-9] ?[Dd][Rr]\.?$")
CREDIT = re.compile(r"[0-9] ?[Cc]r\.?$")
MARK_AT_END = re.compile(r"\A([+-]?[0-9]+)[.,]\Z")  # 12. is 12, whichever mark is the decimal one
PERCENT = "%"

NUMBER = {mark: _compile_number(mark) for mark in THOUSANDS}


def read_numbers(
    text: pa.Array,
    *,
    decimals: int,
    decimal: str,
    shares: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers with the decimal mark `decimal`, as integers of 10**-decimals.

    Halves are rounded to even. Commas or points (whichever is not the decimal mark), blanks and
    apostrophes may stand between thousands, commas between lakhs; a minus may stand behind, and
    parentheses mean negative. The digits may be full-width, and the zero of .45 left out. 45% is
    45, or 0.45 where the numbers are `shares`.

    Returns:
        values int64 (n,), and which texts could be read, bool (n,).
    """
    words = Words.of(narrow(text))
    units = read_plain(words.distinct, decimals=decimals, decimal=decimal)
    others = np.flatnonzero(~units.ok)
    texts = _without_credits(words.at(others))
    numbers = [_read_percent(word, decimal, shares=shares) for word in texts]
    units.fill(others, _minor_units(numbers, decimals))
    return units.take(words.codes)


def find_percent(text: pa.Array) -> np.ndarray:
    """Which texts (n,) end in a percent sign."""
    return to_mask(pc.ends_with(narrow(text), PERCENT))


def read_money(
    text: pa.Array,
    *,
    decimals: int,
    decimal: str,
) -> tuple[np.ndarray, np.ndarray, pa.Array]:
    """Numbers as by `read_numbers`, and the currency before or behind each, or "".

    A currency is its ISO code, or a mark like $ that several share: none of them is guessed.
    """
    words = Words.of(narrow(text))
    units = read_plain(words.distinct, decimals=decimals, decimal=decimal)
    others = np.flatnonzero(~units.ok)
    amounts = [split_currency(word) for word in _without_credits(words.at(others))]
    numbers = [_read_number(amount.number, decimal) for amount in amounts]
    units.fill(others, _minor_units(numbers, decimals))

    marks = np.full(len(words.distinct), "", dtype=object)
    marks[others] = [amount.currency for amount in amounts]
    marks[~units.ok] = ""
    currencies = words.take(marks.tolist())
    values, ok = units.take(words.codes)
    return values, ok, currencies


def detect_decimal(
    written: Mapping[str, pa.Array],
    *,
    typed: Mapping[str, pa.Array] | None = None,
) -> str | None:
    """The decimal mark, "." or ",", that the numbers of a file show; None if no number has a mark.

    Args:
        written: by column (n,) numbers as a person or a program has written them.
        typed: columns that the file stores as numbers; their decimal mark is ".".

    Raises:
        DecimalMarkError: some show one, others the other; or all with a mark could be read with
            either, like 1,234 and 12.000.
    """
    examples = _find_typed_points(typed or {})  # mark -> the first number that shows it
    doubtful: str | None = None
    for column, text in written.items():
        words = Words.of(narrow(text))
        may_have_mark = np.flatnonzero(~is_whole(words.distinct))
        for word in words.at(may_have_mark):
            number = split_currency(_without_percent(word)).number
            with_point = _read_number(number, ".")
            with_comma = _read_number(number, ",")
            if (with_point is None) != (with_comma is None):
                mark = "," if with_point is None else "."
                examples.setdefault(mark, _name_number(word, column))
            elif with_point != with_comma and doubtful is None:
                kind = "comma" if "," in word else "point"
                doubtful = f"{_name_number(word, column)} may have a decimal {kind} or thousands"

    if len(examples) > 1:
        raise DecimalMarkError(
            f"{examples['.']} has a decimal point, but {examples[',']} a decimal comma"
        )
    if not examples and doubtful is not None:
        raise DecimalMarkError(doubtful)
    return next(iter(examples), None)


def _find_typed_points(typed: Mapping[str, pa.Array]) -> dict[str, str]:
    for column, text in typed.items():
        with_point = text.filter(pc.match_substring(text, "."))
        if len(with_point):
            example = str(with_point[0].as_py())
            return {".": _name_number(example, column)}
    return {}


def _name_number(word: str, column: str) -> str:
    return f"{word!r} in column {column!r}"


def _without_credits(texts: list[str]) -> list[str]:
    """Texts, "" for 5 Cr where others are like 5 Dr: it is a credit then, and no crores."""
    if not any(DEBIT.search(text) for text in texts):
        return texts
    return ["" if CREDIT.search(text) else text for text in texts]


def _read_percent(word: str, decimal: str, *, shares: bool) -> Decimal | None:
    number = _read_number(_without_percent(word), decimal)
    if number is None or not (shares and word.endswith(PERCENT)):
        return number
    return number.scaleb(-2)


def _without_percent(word: str) -> str:
    if not word.endswith(PERCENT):
        return word
    return word.removesuffix(PERCENT).rstrip(SPACES)


def _minor_units(numbers: list[Decimal | None], decimals: int) -> Units:
    """Numbers (n,) as integers of 10**-decimals, where they exist and are exact as a float."""
    values = np.zeros(len(numbers), dtype=np.int64)
    ok = np.zeros(len(numbers), dtype=bool)
    for i, number in enumerate(numbers):
        if number is None:
            continue
        units = round(number.scaleb(decimals))
        if abs(units) < INT_LIMIT:
            values[i] = units
            ok[i] = True
    return Units(values, ok)


def _read_number(word: str, decimal: str) -> Decimal | None:
    """The number that a word is, or None; 1.2k and 3 M are 1,200 and 3,000,000."""
    if len(word) > LONGEST:
        return None
    scaled = SCALED.fullmatch(word)
    if scaled is None:
        return _read_plain(word, decimal)
    number = _read_plain(scaled["number"] + scaled["end"], decimal)
    if number is None:
        return None
    return number.scaleb(SCALES[scaled["scale"]])


def _read_plain(word: str, decimal: str) -> Decimal | None:
    match = NUMBER[decimal].fullmatch(MARK_AT_END.sub(r"\1", word))
    if match is None:
        return None

    written = [match[name] for name in ("open", "sign", "behind")]
    signs = [sign for sign in written if sign]
    is_half_bracketed = bool(match["open"]) != bool(match["close"])
    if len(signs) > 1 or is_half_bracketed:
        return None

    whole = match["whole"] or "0"
    between = match["between"] or match["lakhs"]
    if between:
        whole = whole.replace(between, "")
    part = match["part"] or match["below"] or "0"
    number = Decimal(f"{whole}.{part}e{match['power'] or 0}")
    return -number if signs and signs != ["+"] else number
