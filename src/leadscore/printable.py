"""Text from outside as it may be shown: nothing in it commands a terminal, turns the line round or hides."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from unicodedata import category

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# controls, format characters (bidi, zero width), lone surrogates, unassigned and private ones, line separators
HIDDEN = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
BLANK = set("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters and marks that nobody can see
SELECTORS = {
    *range(0xFE00, 0xFE0F),
    *range(0xE0100, 0xE01F0),
}  # of variants; U+FE0F, for emoji, may stay
MARKUP = re.compile(r"([\\`*_{}\[\]()<>#|~!&])")


def is_hidden(character: str) -> bool:
    """Whether a character cannot be seen, or does something else than being seen."""
    return category(character) in HIDDEN or character in BLANK or ord(character) in SELECTORS


def printable(text: object, *, keep: str = "") -> str:
    r"""Text with a mark in place of each hidden character but those in `keep`.

    >>> printable("a\x1b[31m\u202eb")
    'a�[31m�b'
    """
    plain = str(text)
    if plain.isascii() and plain.isprintable():
        return plain
    shown = (c if c in keep or not is_hidden(c) else REPLACEMENT for c in plain)
    return "".join(shown)


def as_markdown(text: object) -> str:
    r"""Text that may look like Markdown, as it is.

    >>> print(as_markdown("**all** | none"))
    \*\*all\*\* \| none
    """
    return MARKUP.sub(r"\\\1", printable(text))


def one_line(value: Mapping[str, Any]) -> str:
    r"""One line of JSON that reads as `value`; hidden characters are written as \uXXXX."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return (
        text
        if text.isprintable()
        else "".join(json.dumps(c)[1:-1] if is_hidden(c) else c for c in text)
    )
