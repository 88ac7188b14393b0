"""Text of leads made safe for cells and for names of sheets: it comes from outside."""

from __future__ import annotations

import re
from unicodedata import category

LONGEST_CELL = 500  # characters; longer texts are cut with an ellipsis
LONGEST_SHEET = 31  # Excel's limit
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"  # within emoji, and in Persian words
DROPPED = {"Cc", "Cf", "Zl", "Zp"}  # controls; invisible ones, such as those that reverse the line
UNWRITABLE = {"Cs", "Cn"}  # half characters, and those that XML does not allow
FORBIDDEN = re.compile(r"[\[\]:*?/\\]")  # in names of sheets
RESERVED = {"", "history"}


def cell_text(text: str | None) -> str:
    r"""Text as a cell shows it: without control characters and tricks of direction, and not endless.

    >>> cell_text("a\0b\u202ecba \U0001f44d")
    'abcba 👍'
    """
    if not text:
        return ""
    cut = text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + ELLIPSIS
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(map(_show, cut))


def _show(character: str) -> str:
    if character in JOINERS or character == "\n":
        return character
    kind = category(character)
    if kind in DROPPED:
        return " " if character.isspace() else ""
    return "\N{REPLACEMENT CHARACTER}" if kind in UNWRITABLE else character


def name_sheets(wanted: list[str]) -> list[str]:
    """Names of sheets that Excel takes, all different, in the order of the wanted ones.

    >>> name_sheets(["Ann/Bo", "ann bo", "History"])
    ['Ann Bo', 'ann bo (2)', 'History (2)']
    """
    names: list[str] = []
    taken = set(RESERVED)
    for text in wanted:
        plain = FORBIDDEN.sub(" ", cell_text(text)).replace("\n", " ")
        name = _make_unique(plain.strip("' ") or "Sheet", taken)
        taken.add(name.casefold())
        names.append(name)
    return names


def _make_unique(name: str, taken: set[str]) -> str:
    """The name, or with a number behind it if it is taken, within Excel's limit."""
    number = 1
    candidate = _cut_sheet(name, "")
    while candidate.casefold() in taken:
        number += 1
        candidate = _cut_sheet(name, f" ({number})")
    return candidate


def _cut_sheet(name: str, ending: str) -> str:
    """The name and its ending in so many UTF-16 units as a sheet's name may have."""
    room = 2 * (LONGEST_SHEET - len(ending))
    cut = name.encode("utf-16-le")[:room].decode("utf-16-le", errors="ignore")
    return cut.rstrip("' ") + ending
