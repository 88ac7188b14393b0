"""Numbers with their nouns, as English has them."""

from __future__ import annotations


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun: `one` after 1, else `many`, by default `one` with an s.

    >>> counted(1, "row"), counted(0, "row"), counted(1234, "lead has no date", "leads have no date")
    ('1 row', '0 rows', '1,234 leads have no date')
    """
    noun = one if n == 1 else many or f"{one}s"
    return f"{n:,} {noun}"
