"""A feature, declared once, as data: SQL, model, reasons and documents read the same object."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.features.finish import Finish
from leadscore.wording import cut

LONGEST = 80  # characters of a text that a sentence quotes


@dataclass(frozen=True)
class Feature:
    """One thing known of a lead at a snapshot.

    Attributes:
        name: family_measure_window, unique.
        columns: relation of the past (see `Snapshot.past`) -> name -> aggregate expression, in
            plain ANSI SQL, that gives an integer or a text taken from a row.
        finish: from those columns and as_of_us to the values (n,): float64 with NaN for unknown, or
            text with None if `unit` is "category". A frozen dataclass of `finish.py`.
        unit: "count", "days", "days ahead", "share", "a week", "times", "flag", "category" or
            "number": how a value is shown.
        up: the sentence when it speaks for the lead, with {value}.
        down: the sentence when it speaks against.
        group: what it is about; reasons speak of a group once.
        direction: 1 or -1 if the model must never lower, or raise, the probability as it grows;
            else 0.
        rests_on: settings beyond the expressions that the values rest on, such as the order of the
            stages.
        usual_for: set for a feature that the encoder makes from rows, because it compares with what
            is usual: (the number it compares, the category it is usual for).
        names_people: the value names one of our own people, so it is never put into words.
        value_names: what a person calls the values 0, 1, 2 and so on; empty where a number is shown
            as it is.
    """

    name: str
    columns: Mapping[str, Mapping[str, str]]
    finish: Finish
    unit: str
    up: str
    down: str
    group: str
    direction: int = 0
    rests_on: tuple[str, ...] = ()
    usual_for: tuple[str, str] | None = None
    names_people: bool = False
    value_names: tuple[str, ...] = ()

    @property
    def is_category(self) -> bool:
        """Whether the values are text."""
        return self.unit == "category"

    def fingerprint(self) -> str:
        """A hash that changes whenever the values could: models refuse features they do not know."""
        columns = sorted(
            (relation, sorted(named.items())) for relation, named in self.columns.items()
        )
        parts = (
            self.name,
            columns,
            repr(self.finish),
            self.unit,
            self.direction,
            self.rests_on,
            self.usual_for,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def sentence(self, value: Any, *, speaks_for: bool) -> str:
        """The reason in words, with the lead's own value."""
        sentence = self.up if speaks_for else self.down
        return sentence.replace("{value}", self._in_words(value))

    def _in_words(self, value: Any) -> str:
        is_named = bool(self.value_names) and value in range(len(self.value_names))
        return self.value_names[int(value)] if is_named else shown(value, self.unit)


def shown(value: Any, unit: str) -> str:
    """A value as a person reads it.

    >>> shown(0.0, "count"), shown(1.26, "days"), shown(0.5, "share"), shown(15000.0, "number")
    ('none', '1.3 days', '50 %', '15,000')
    """
    if unit == "days ahead":
        return f"in {shown(value, 'days')}" if value >= 0 else f"{shown(-value, 'days')} ago"
    if unit == "days":
        number = f"{value:,.1f}".removesuffix(".0") if abs(value) < 10 else f"{value:,.0f}"
        return number + (" day" if number == "1" else " days")
    forms: dict[str, Callable[[], str]] = {
        "category": lambda: cut(str(value), most=LONGEST),
        "count": lambda: f"{value:.0f}" if value else "none",
        "share": lambda: f"{value * 100:.0f} %",
        "a week": lambda: f"{round(value, 1) + 0.0:+.1f} a week",  # never -0.0
        "times": lambda: f"{value:.1f} times",
        "flag": lambda: "known" if value else "not known",
        "number": lambda: f"{round(value, 2) + 0.0:,.2f}".removesuffix(".00"),
    }
    return forms[unit]()
