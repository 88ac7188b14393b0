"""A feature, declared once, as data: SQL, model, reasons and documents read the same object."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.features.finish import Finish
from leadscore.features.phrases import Phrase, capitalised
from leadscore.features.units import ago, shown

PLACEHOLDER = re.compile(r"\{(value|weekly|ago|stage|spent|usual)\}")

WINDOW = re.compile(r"in the last (\d+) days")
SINCE_CREATED = "since the lead came in"
A_WEEK = re.compile(rf"(?:About )?(.+) a week {SINCE_CREATED}")
LEAD_TWICE = re.compile(rf"(\bthe lead) {SINCE_CREATED}")
WEEK = 7  # days


@dataclass(frozen=True)
class Around:
    """What a sentence may say beside a value.

    Attributes:
        elapsed: share of the day that has passed at the date of the list.
        stage: where the lead stands; None where that is not known.
        spent: its days there, None where they are not known.
        age: days since the lead came in, None where they are not known.
    """

    elapsed: float = 0.0
    stage: str | None = None
    spent: float | None = None
    age: float | None = None


NOTHING_AROUND = Around()
UNSAID = Phrase("", "", "")  # of features that no reason speaks of


@dataclass(frozen=True)
class Feature:
    """One thing known of a lead at a snapshot.

    Attributes:
        name: family_measure_window, unique.
        columns: relation of the past (see `Snapshot.past`) -> name -> aggregate expression, in
            plain ANSI SQL, that gives an integer or a text taken from a row.
        finish: from those columns and as_of_us to the values (n,): float64 with NaN for unknown, or
            text with None if `unit` is "category". A frozen dataclass of `finish.py`.
        unit: "count", "days", "days ahead", "minutes", "moved", "change", "share", "a week",
            "times", "flag", "category" or "number": how a value is shown.
        group: what it is about; reasons speak of a group once.
        phrase: what is said of a value that speaks for the lead, or against it.
        direction: 1 or -1 if the model must never lower, or raise, the probability as it grows;
            else 0.
        rests_on: settings beyond the expressions that the values rest on, such as the order of the
            stages.
        usual_for: set for a feature that the encoder makes from rows, because it compares with what
            is usual: (the number it compares, the category it is usual for).
        names_people: the value names one of our own people, so it is never put into words.
        is_summary: it sums up what others of its group say outright, so that it is the reason only
            where none of them is.
    """

    name: str
    columns: Mapping[str, Mapping[str, str]]
    finish: Finish
    unit: str
    group: str
    phrase: Phrase = UNSAID
    direction: int = 0
    rests_on: tuple[str, ...] = ()
    usual_for: tuple[str, str] | None = None
    names_people: bool = False
    is_summary: bool = False

    @property
    def is_category(self) -> bool:
        """Whether the values are text."""
        return self.unit == "category"

    @property
    def placeholders(self) -> frozenset[str]:
        """What its sentences may speak of."""
        return frozenset(PLACEHOLDER.findall(self.phrase.text))

    @property
    def ages(self) -> frozenset[float]:
        """The ages of a lead, in days, from which on its sentences change (see `_fit_to_age`)."""
        windows = WINDOW.findall(self.phrase.text)
        ages = {self.phrase.least_age, *map(float, windows)}
        if self.phrase.named is not None or A_WEEK.search(self.phrase.text):
            ages.add(WEEK)
        return frozenset(ages)

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

    def reason(self, value: Any, *, speaks_for: bool, around: Around = NOTHING_AROUND) -> str:
        """What a value says for a lead, or against it; "" where that is no reason."""
        if around.age is not None and around.age < self.phrase.least_age:
            return ""
        template = self.phrase.template(value, speaks_for=speaks_for)
        words = self._fill(template, value, around)
        return capitalised(_fit_to_age(words, around.age))

    def sentence(self, value: Any, *, speaks_for: bool, around: Around = NOTHING_AROUND) -> str:
        """A value in words, even where it is no reason on that side, or on neither."""
        reason = self.reason(value, speaks_for=speaks_for, around=around)
        other = self.reason(value, speaks_for=not speaks_for, around=around)
        return reason or other or f"{capitalised(self.phrase.subject)}: {self._in_words(value)}"

    def _in_words(self, value: Any) -> str:
        names = self.phrase.values
        is_named = bool(names) and value in range(len(names))
        return names[int(value)] if is_named else shown(value, self.unit)

    def _fill(self, template: str, value: Any, around: Around) -> str:
        """A sentence with its placeholders filled; "" where one of them is not known."""
        words: dict[str, str | None] = {}
        for name in PLACEHOLDER.findall(template):
            words[name] = self._word(name, value, around)
        if None in words.values():
            return ""
        return PLACEHOLDER.sub(lambda match: str(words[match[1]]), template)

    def _word(self, name: str, value: Any, around: Around) -> str | None:
        if name == "value":
            return self._in_words(value)
        if name == "weekly":
            return shown(value, "a week")
        if name == "ago":
            return ago(value, elapsed=around.elapsed)
        if name == "stage":
            return around.stage
        if around.spent is None:
            return None
        days = around.spent / value if name == "usual" and value else around.spent
        return shown(days, "days")


def _fit_to_age(words: str, age: float | None) -> str:
    """A sentence about the last days; of a lead that came in later, since it came in.

    The pace of a lead that is younger than a week is a count (see `finish.Pace`).
    """
    if age is None:
        return words
    if age < WEEK:
        words = A_WEEK.sub(rf"\1 {SINCE_CREATED}", words)
    window = WINDOW.search(words)
    if window is not None and age < int(window[1]):
        words = WINDOW.sub(SINCE_CREATED, words)
    return LEAD_TWICE.sub(r"\1 so far", words)
