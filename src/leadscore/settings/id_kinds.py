"""Kinds of ids: how a program writes them in several ways, and the one way in which we keep them."""

from __future__ import annotations

import re
from typing import Literal

IdKind = Literal["guid", "salesforce", "integer"]
ID_KINDS: tuple[IdKind, ...] = ("guid", "salesforce", "integer")

GUID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")
SALESFORCE = re.compile(r"([0-9A-Za-z]{15})([0-9A-Za-z]{3})?")
SUFFIXES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"  # each stands for five bits
WHOLE = re.compile(r"0*([0-9]+)(?:\.0*)?")
EXPONENT = re.compile(r"([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
SPREADSHEET = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{2}")

MOST_SHOWN = 6  # digits that spreadsheets show of a long number
MOST_ZEROS = 3  # at the end of an id, which programs leave out before an exponent
LARGEST_EXACT = 2**53  # above, floating point skips integers


def canonical_id(text: str, kind: IdKind) -> str | None:
    """An id in the spelling that all of its spellings share; None if it is not of the kind.

    >>> canonical_id("{6513270E-269E-0D37-F2A7-4DE452E6B438}", "guid")
    '6513270e-269e-0d37-f2a7-4de452e6b438'
    >>> canonical_id("0015000000Gv7qJ", "salesforce")
    '0015000000Gv7qJAAR'
    >>> canonical_id("1.6147805824397E13", "integer")
    '16147805824397'
    """
    if kind == "guid":
        return _guid(text)
    if kind == "salesforce":
        return _salesforce(text)
    return _integer(text)


def is_rounded(text: str) -> bool:
    """Whether a spreadsheet wrote an id with an exponent and too few digits.

    >>> is_rounded("1.61E+17"), is_rounded("1.6147805824397E+13"), is_rounded("1610")
    (True, False, False)
    """
    return SPREADSHEET.fullmatch(text) is not None and _integer(text) is None


def lacks_digits(text: str) -> bool:
    """Whether an id has any exponent, and too few digits for it."""
    return EXPONENT.fullmatch(text) is not None and _integer(text) is None


def _guid(text: str) -> str | None:
    bare = text.lower()
    if bare.startswith("{") and bare.endswith("}"):
        bare = bare[1:-1]
    match = GUID.fullmatch(bare)
    return "-".join(match.groups()) if match else None


def _salesforce(text: str) -> str | None:
    """The 18 characters, of which the last three say where the others are in upper case."""
    match = SALESFORCE.fullmatch(text)
    if match is None:
        return None
    short, suffix = match.groups()
    if suffix is None:
        return short + _suffix(short)
    if text == text.lower():  # a warehouse may have lowered it
        short = _in_case(short, suffix.upper())
    return short + suffix.upper() if _suffix(short) == suffix.upper() else None


def _suffix(short: str) -> str:
    """The last three characters: each stands for five others, the first of them the lowest bit."""
    suffix = ""
    for begin in range(0, len(short), 5):
        bits = 0
        for place, character in enumerate(short[begin : begin + 5]):
            bits += character.isupper() << place
        suffix += SUFFIXES[bits]
    return suffix


def _in_case(short: str, suffix: str) -> str:
    """The 15 characters in the case that the suffix says; unchanged if it says none."""
    if any(character not in SUFFIXES for character in suffix):
        return short
    restored = ""
    for place, character in enumerate(short):
        bits = SUFFIXES.index(suffix[place // 5])
        restored += character.upper() if bits >> place % 5 & 1 else character
    return restored


def _integer(text: str) -> str | None:
    """The digits, without zeros before them; None also where a spreadsheet has rounded them."""
    whole = WHOLE.fullmatch(text)
    if whole:
        return whole[1]
    match = EXPONENT.fullmatch(text)
    if match is None:
        return None

    first = match[1]
    decimals = (match[2] or "").rstrip("0")
    zeros = int(match[3]) - len(decimals)
    if zeros < 0 or first == "0":
        return None
    digits = first + decimals
    number = digits + "0" * zeros
    if zeros == 0:
        return number
    has_all_digits = len(digits) > MOST_SHOWN and zeros <= MOST_ZEROS
    return number if has_all_digits and int(number) < LARGEST_EXACT else None
