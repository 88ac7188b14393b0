"""Reads numbers that are nothing but digits and a decimal mark: most, and all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.words import to_mask

WHOLE = r"\A[+-]?[0-9]+\z"
MOST_DIGITS = 9  # before the mark; with six behind it they are exact as a float
MOST_DECIMALS = 6
EXACT = pa.decimal128(MOST_DIGITS + 1 + MOST_DECIMALS, MOST_DECIMALS)  # rounding may add a digit


@dataclass(frozen=True)
class Units:
    """Texts (n,) as integers of a smallest unit, 0 where one cannot be read; and which can."""

    values: np.ndarray
    ok: np.ndarray

    def take(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The values and the readable ones at these places."""
        return self.values[codes], self.ok[codes]

    def fill(self, places: np.ndarray, others: Units) -> None:
        """Put other values in these places."""
        self.values[places] = others.values
        self.ok[places] = others.ok


def is_whole(words: pa.Array) -> np.ndarray:
    """Which words (n,) are digits alone, and so show no decimal mark."""
    return to_mask(pc.match_substring_regex(words, WHOLE))


def read_plain(words: pa.Array, *, decimals: int, decimal: str) -> Units:
    """Plain numbers as integers of 10**-decimals; what is written otherwise is not read.

    Halves are rounded to even.

    Args:
        words: (n,) texts without nulls.
        decimals: at most `MOST_DECIMALS`, or nothing is read.
        decimal: the decimal mark, "." or ",".
    """
    n = len(words)
    values = np.zeros(n, dtype=np.int64)
    if decimals > MOST_DECIMALS:
        return Units(values, np.zeros(n, dtype=bool))

    is_plain = pc.match_substring_regex(words, _plain_form(decimal))
    texts = words.filter(is_plain)
    ok = to_mask(is_plain)
    values[ok] = _scale(texts, decimals=decimals, decimal=decimal)
    return Units(values, ok)


def _plain_form(decimal: str) -> str:
    """The form of a plain number with that decimal mark, as a regular expression."""
    whole = rf"[0-9]{{1,{MOST_DIGITS}}}"
    part = rf"[{decimal}][0-9]{{1,{MOST_DECIMALS}}}"
    return rf"\A-?(?:{whole}(?:{part})?|{part})\z"


def _scale(texts: pa.Array, *, decimals: int, decimal: str) -> np.ndarray:
    """Plain numbers (n,) as integers of 10**-decimals, by exact arithmetic."""
    with_point = pc.replace_substring(texts, decimal, ".")
    numbers = with_point.cast(EXACT)
    rounded = pc.round(numbers, decimals, "half_to_even")

    digits = decimals + 1
    factor = pa.scalar(Decimal(10**decimals), pa.decimal128(digits, 0))
    scaled = pc.multiply(rounded, factor)
    return np.asarray(scaled.cast(pa.int64()))
