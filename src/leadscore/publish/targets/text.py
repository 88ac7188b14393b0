"""Text of leads as a machine may be given it: whole characters, none that hides or commands."""

from __future__ import annotations

import re
from unicodedata import category

# Marks that reverse or isolate the direction of a line
DIRECTIONS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
BREAKS = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\x85": "\n", "\t": " "})
JOINER = "\u200d"  # makes one emoji of several
ELLIPSIS = "\u2026"
PROTECTING = re.compile(r"^'+(?=[=+\-@])")  # a formula from spreadsheets: a CRM would show it
BEYOND = 0xFFFF  # characters past it count twice in UTF-16, as Salesforce and Dynamics count


def clean_text(text: str) -> str:
    r"""Text without controls, direction marks and halves of characters; line breaks are LF.

    Nor does it begin with an apostrophe that protects a spreadsheet.

    >>> clean_text("a\x00b\u202ec\r\nd"), clean_text("'+49 30 1234")
    ('abc\nd', '+49 30 1234')
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(BREAKS)
    if not plain.isprintable():
        plain = "".join(filter(_may_stay, plain))
    return PROTECTING.sub("", plain.strip())


def _may_stay(character: str) -> bool:
    if character == "\n":
        return True
    if character in DIRECTIONS:
        return False
    kind = category(character)
    is_noncharacter = kind == "Cn" and (ord(character) & 0xFFFE) == 0xFFFE
    return kind not in {"Cc", "Cs"} and not is_noncharacter


def is_clean(text: str) -> bool:
    """Whether text may identify a record: it is not empty, and a file holds it unchanged."""
    return bool(text) and clean_text(text) == text and "\n" not in text


def count_units(text: str) -> int:
    """The length in UTF-16 units, of which an emoji has two."""
    return len(text) + sum(ord(character) > BEYOND for character in text)


def cut_text(text: str, *, most: int) -> str:
    """Text of at most `most` UTF-16 units, cut between whole characters and marked as cut.

    >>> cut_text("abcdef", most=4)
    'abc…'
    """
    if count_units(text) <= most:
        return text
    budget = most - 1
    end = 0
    for character in text:
        budget -= 1 + (ord(character) > BEYOND)
        if budget < 0:
            break
        end += 1
    return text[: _whole_end(text, end)].rstrip() + ELLIPSIS


def _whole_end(text: str, end: int) -> int:
    """The last place at or before `end` that parts no emoji or accented letter."""
    while end > 0 and (_continues(text[end]) or text[end - 1] == JOINER):
        end -= 1
    return end


def _continues(character: str) -> bool:
    is_tone = "\U0001f3fb" <= character <= "\U0001f3ff"  # of skin
    return character == JOINER or is_tone or category(character) in {"Mn", "Me", "Mc"}
