"""How far a source has been read: the largest value of its cursor column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

KINDS: dict[str, tuple[type, Callable[[str], Any]]] = {
    "number": (int, int),
    "decimal": (Decimal, Decimal),
    "time": (datetime, datetime.fromisoformat),  # before date, which it is as well
    "date": (date, date.fromisoformat),
    "text": (str, str),
}


class CursorError(Exception):
    """Values that cannot say how far a source was read; the message goes after its name."""


@dataclass(frozen=True)
class CursorValue:
    """A value of a cursor column, which can be stored and asked for again."""

    value: Any

    @property
    def kind(self) -> str:
        """What it is, one of `KINDS`."""
        kinds = (kind for kind, (type_, _) in KINDS.items() if isinstance(self.value, type_))
        return next(kinds)

    @property
    def text(self) -> str:
        """The value as it is stored and shown."""
        if isinstance(self.value, date):
            return self.value.isoformat()
        return str(self.value)

    def to_json(self) -> dict[str, str]:
        """The value as a part keeps it."""
        return {"kind": self.kind, "text": self.text}

    @classmethod
    def from_json(cls, stored: dict[str, str]) -> CursorValue:
        """The value that a part keeps."""
        _, parse = KINDS[stored["kind"]]
        return cls(parse(stored["text"]))

    def latest(self, values: Sequence[object]) -> CursorValue:
        """The larger one of this and of all values of an answer.

        Raises:
            CursorError: a value is missing, or they are of different kinds.
        """
        return latest_of((self.value, *values))


def latest_of(values: Sequence[Any]) -> CursorValue:
    """The largest of some values, of which there is one at least.

    Raises:
        CursorError: a value is missing, they are of different kinds, or of one that has no order.
    """
    if any(value is None for value in values):
        raise CursorError(
            "has rows without a value in its cursor column, which would be read never or always"
        )
    first = values[0]
    known = tuple(type_ for type_, _ in KINDS.values())
    if isinstance(first, bool) or not isinstance(first, known):
        raise CursorError(
            f"has a cursor column of {type(first).__name__}; it must hold whole numbers, dates, "
            "times or text"
        )
    try:
        return CursorValue(max(values))
    except TypeError as e:
        raise CursorError("has a cursor column with values of different types") from e
