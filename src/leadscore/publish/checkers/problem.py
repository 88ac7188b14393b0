"""What a CRM would refuse in a file, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A reason to refuse a file.

    Attributes:
        line: of the file, from 1; 0 if the file as a whole, or its job, is wrong.
        field: the column, or the key of the job; "" if none.
        reason: in words.
    """

    line: int
    field: str
    reason: str
