"""Reads numbers and amounts of money from text, as whole minor units; what cannot be read is marked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import DecimalMarkError

LONGEST = 64  # characters of a number with its currency; longer text is not looked at
INT_LIMIT = 2**53  # above it a float64 skips integers
MINUS = "\u2212-"  # its hyphen at the end, where a set of characters takes it as it is
SPACES = " \u00a0\u2009\u202f'\u2019"  # between thousands; Swiss amounts have apostrophes
THOUSANDS = {".": "," + SPACES, ",": "." + SPACES}
NUMBER = {
    mark: re.compile(
        rf"(?P<open>\()?(?P<sign>[+{MINUS}])?"
        rf"(?P<whole>[0-9]+|[1-9][0-9]{{0,2}}(?P<between>[{THOUSANDS[mark]}])[0-9]{{3}}(?:(?P=between)[0-9]{{3}})*)"
        rf"(?:[{mark}](?P<part>[0-9]+))?(?:[eE](?P<power>[+-]?[0-9]{{1,2}}))?"
        rf"(?P<behind>[{MINUS}])?(?P<close>\))?"
    )
    for mark in THOUSANDS
}
# "" where several countries use the mark: nothing is guessed
CURRENCIES = {
    "\u20ac": "EUR",
    "\u00a3": "GBP",
    "\u20b9": "INR",
    "\u20a9": "KRW",
    "\u20ba": "TRY",
    "z\u0142": "PLN",
    "US$": "USD",
    "CA$": "CAD",
    "A$": "AUD",
    "NZ$": "NZD",
    "R$": "BRL",
    "Fr.": "CHF",
    "fr.": "CHF",
    "SFr.": "CHF",
    "$": "",
    "\u00a5": "",
    "kr": "",
    "kr.": "",
}
_MARK = (
    "(?P<mark>"
    + "|".join(re.escape(mark) for mark in sorted(CURRENCIES, key=len, reverse=True))
    + "|[A-Z]{3})"
)
BEFORE = re.compile(rf"(?P<sign>\(?[+{MINUS}]?)\s*{_MARK}\s*(?P<rest>.*)", re.DOTALL)
BEHIND = re.compile(rf"(?P<rest>.*?)\s*{_MARK}\s*(?P<sign>[{MINUS}]?\)?)", re.DOTALL)


def read_numbers(text: pa.Array, *, decimals: int, decimal: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers with the decimal mark `decimal` as integers of 10**-decimals; returns (values int64, ok bool).

    Halves are rounded to even. Commas or points (whichever is not the decimal mark), blanks and apostrophes may part
    thousands; a minus may stand behind, and parentheses mean negative.
    """
    codes, words = _distinct(text)
    values, ok = _minor_units([_number(word, decimal) for word in words], decimals)
    return values[codes], ok[codes]


def read_money(
    text: pa.Array, *, decimals: int, decimal: str
) -> tuple[np.ndarray, np.ndarray, pa.Array]:
    """Numbers as by `read_numbers`, and the ISO code of the currency before or behind; "" where none is told.

    A mark that several currencies share, like $, tells none.
    """
    codes, words = _distinct(text)
    told = [_split_currency(word) for word in words]
    values, ok = _minor_units([_number(number, decimal) for number, _ in told], decimals)
    currencies = pa.array(
        [currency if fine else "" for (_, currency), fine in zip(told, ok, strict=True)],
        pa.string(),
    )
    return values[codes], ok[codes], currencies.take(pa.array(codes))


def detect_decimal(
    written: Mapping[str, pa.Array], *, typed: Mapping[str, pa.Array] | None = None
) -> str | None:
    """The decimal mark, "." or ",", that the numbers of a file show; None if no number has a mark.

    Args:
        written: by column (n,) numbers as a person or a program has written them.
        typed: columns that the file stores as numbers; their decimal mark is ".".

    Raises:
        DecimalMarkError: some show one, others the other; or all with a mark could be read with either, like 1,234
            and 12.000.
    """
    shown = _find_typed_points(typed or {})  # mark -> the first number that shows it
    doubtful: list[tuple[str, str]] = []
    for column, text in written.items():
        for word in _distinct(text)[1]:
            number, _ = _split_currency(word)
            point, comma = _number(number, "."), _number(number, ",")
            if (point is None) != (comma is None):
                shown.setdefault("," if point is None else ".", _name_number(word, column))
            elif point != comma:
                doubtful.append((word, column))
    if len(shown) > 1:
        raise DecimalMarkError(
            f"{shown['.']} has a decimal point, but {shown[',']} a decimal comma"
        )
    if not shown and doubtful:
        word, column = doubtful[0]
        mark = "comma" if "," in word else "point"
        raise DecimalMarkError(
            f"{_name_number(word, column)} may have a decimal {mark} or thousands"
        )
    return next(iter(shown), None)


def _find_typed_points(typed: Mapping[str, pa.Array]) -> dict[str, str]:
    for column, text in typed.items():
        with_point = text.filter(pc.match_substring(text, "."))
        if len(with_point):
            return {".": _name_number(str(with_point[0].as_py()), column)}
    return {}


def _name_number(word: str, column: str) -> str:
    return f"{word!r} in column {column!r}"


def _distinct(text: pa.Array) -> tuple[np.ndarray, list[str]]:
    """Each row's place (n,) among the distinct values, and these."""
    encoded = text.dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()


def _minor_units(numbers: list[Decimal | None], decimals: int) -> tuple[np.ndarray, np.ndarray]:
    units = [INT_LIMIT if number is None else round(number.scaleb(decimals)) for number in numbers]
    ok = np.array([abs(unit) < INT_LIMIT for unit in units], dtype=bool)
    return np.array(
        [unit if fine else 0 for unit, fine in zip(units, ok, strict=True)], dtype=np.int64
    ), ok


def _number(word: str, decimal: str) -> Decimal | None:
    """The number that a word is, or None."""
    found = NUMBER[decimal].fullmatch(word) if len(word) <= LONGEST else None
    if found is None:
        return None
    signs = [found[name] for name in ("open", "sign", "behind") if found[name]]
    if len(signs) > 1 or bool(found["open"]) != bool(found["close"]):
        return None
    whole = found["whole"].replace(found["between"], "") if found["between"] else found["whole"]
    number = Decimal(f"{whole}.{found['part'] or 0}e{found['power'] or 0}")
    return -number if signs and signs != ["+"] else number


def _split_currency(word: str) -> tuple[str, str]:
    """A word without its marks of a currency, and that currency's ISO code; no number if there are two."""
    if len(word) > LONGEST:
        return word, ""
    told = []
    for pattern in (BEFORE, BEHIND):
        if found := pattern.fullmatch(word):
            word = (
                found["sign"] + found["rest"]
                if pattern is BEFORE
                else found["rest"] + found["sign"]
            )
            told.append(CURRENCIES.get(found["mark"], found["mark"]))
    known = {currency for currency in told if currency}
    return (word, "".join(known)) if len(known) < 2 else ("", "")
