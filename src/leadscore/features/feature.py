"""A feature, declared once, as data: SQL, model, reasons and documentation all read the same object."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.features.finish import Columns


@dataclass(frozen=True)
class Feature:
    """One thing told of a lead at a snapshot.

    Attributes:
        name: family_measure_window, unique.
        columns: relation of the past (see `Snapshot.past`) -> name -> aggregate expression, in plain ANSI SQL,
            that gives an integer or a text taken from a row.
        finish: from those columns and as_of_us to the values (n,): float64 with NaN for unknown, or text with
            None if `unit` is "category". A frozen dataclass of `finish.py`.
        unit: "count", "days", "share", "a week", "category", "number".
        up: the sentence when it speaks for the lead, with {value}.
        down: the sentence when it speaks against.
        direction: 1 or -1 if the model must never lower, or raise, the probability as it grows; else 0.
        usual_for: set for a feature that the encoder makes from rows, because it compares with what is usual:
            (the number it compares, the category it is usual for).
    """

    name: str
    columns: Mapping[str, Mapping[str, str]]
    finish: Callable[[Columns, np.ndarray], np.ndarray]
    unit: str
    up: str
    down: str
    direction: int = 0
    usual_for: tuple[str, str] | None = None

    @property
    def is_category(self) -> bool:
        """Whether the values are text."""
        return self.unit == "category"

    @property
    def group(self) -> str:
        """What it is about: its name without the window. Reasons speak of a group once."""
        head, _, window = self.name.rpartition("_")
        return head if window.endswith("d") and window[:-1].isdigit() else self.name

    def fingerprint(self) -> str:
        """Changes whenever the values could, so that a model can refuse features it did not learn from."""
        columns = sorted((relation, sorted(named.items())) for relation, named in self.columns.items())
        parts = (self.name, columns, repr(self.finish), self.unit, self.direction, self.usual_for)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def sentence(self, value: Any, *, speaks_for: bool) -> str:
        """The reason in words, with the lead's own value."""
        return (self.up if speaks_for else self.down).format(value=shown(value, self.unit))


def shown(value: Any, unit: str) -> str:
    """A value as a person reads it.

    >>> shown(0.0, "count"), shown(1.26, "days"), shown(0.5, "share"), shown(15000.0, "number")
    ('no', '1.3 days', '50 %', '15,000')
    """
    if unit == "category":
        return str(value)
    if unit == "count":
        return f"{value:.0f}" if value else "no"
    if unit == "share":
        return f"{value * 100:.0f} %"
    if unit == "days":
        number = f"{value:,.1f}".removesuffix(".0") if abs(value) < 10 else f"{value:,.0f}"
        return number + (" day" if number == "1" else " days")
    if unit == "a week":
        return f"{value:+.1f}"
    return f"{value:,.2f}".removesuffix(".00")
