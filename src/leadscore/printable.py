"""Text from outside made safe to show: it cannot command a terminal, reverse the line or hide."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from unicodedata import category

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
HIDDEN = {
    "Cc",  # controls
    "Cf",  # format characters: direction, zero width
    "Cs",  # lone surrogates
    "Cn",  # unassigned
    "Co",  # private
    "Zl",  # line separator
    "Zp",  # paragraph separator
}
BLANK = set("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters and marks without a glyph
EMOJI_SELECTOR = 0xFE0F  # may stay
SELECTORS = {*range(0xFE00, EMOJI_SELECTOR), *range(0xE0100, 0xE01F0)}  # of variants of a glyph
MARKUP = re.compile(r"([\\`*_{}\[\]()<>#|~!&@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)


def is_hidden(character: str) -> bool:
    """Whether a character is invisible, or changes how others are shown."""
    return category(character) in HIDDEN or character in BLANK or ord(character) in SELECTORS


def printable(text: object, *, keep: str = "") -> str:
    r"""Text with U+FFFD in place of each hidden character, except those in `keep`.

    >>> printable("a\x1b[31m\u202eb")
    'a�[31m�b'
    """
    plain = str(text)
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(_replace(character, keep) for character in plain)


def _replace(character: str, keep: str) -> str:
    return REPLACEMENT if is_hidden(character) and character not in keep else character


def as_markdown(text: object) -> str:
    r"""Text that Markdown shows as it is, whatever it contains: no link, and nobody is notified.

    >>> print(as_markdown("**all** | none"))
    \*\*all\*\* \| none
    """
    return MARKUP.sub(r"\\\1", printable(text))


def one_line(value: Mapping[str, Any]) -> str:
    r"""One line of JSON that reads as `value`, with hidden characters written as \uXXXX.

    >>> print(one_line({"name": "a\u202eb"}))
    {"name": "a\u202eb"}
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not any(map(is_hidden, set(text))):
        return text
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    """A character as JSON writes it in ASCII if it is hidden, else as it is."""
    return json.dumps(character)[1:-1] if is_hidden(character) else character
