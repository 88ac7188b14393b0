"""Moves: a date put off or brought forward, an amount raised or lowered, and a date that passed.

They compare each value of a field with the one before, so they exist for fields that may be learned
from, as `fields.py` decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.engine.protocol import literal
from leadscore.features.feature import Feature
from leadscore.features.fields import currency_behind, field_column, field_finish
from leadscore.features.finish import Finish
from leadscore.features.finish_moves import Drift, Overdue, Steps
from leadscore.features.phrases import Phrase, both
from leadscore.settings.settings import Settings

Relations = dict[str, dict[str, str]]


def build_moves(name: str, settings: Settings) -> list[Feature]:
    """The features of how a date, or the amount, moved; none of another field."""
    field = settings.lead_fields()[name]
    latest = field_column(name, settings)
    if latest is None or not settings.is_dated:
        return []
    label = field.label or name.replace("_", " ")
    moving = _Moving(
        name,
        label,
        is_created=name in settings.fields_of_leads(),
        rests_on=currency_behind(name, settings),
    )
    if field.type == "date":
        overdue = field_finish(Overdue(f"field_{name}"), name, settings)
        return [
            moving.feature(
                "overdue",
                latest,
                overdue,
                unit="flag",
                phrase=both(f"{label} has passed", f"{label} has passed", counted=True),
            ),
            moving.count("later", 1, "put off"),
            moving.count("earlier", -1, "brought forward"),
            moving.drift("moved", unit="moved", sentence=f"{label} is {{value}} than at first"),
        ]
    if name == "amount":
        return [
            moving.count("raised", 1, "raised"),
            moving.count("lowered", -1, "lowered"),
            moving.drift("changed", unit="change", sentence=f"{label} is {{value}} than at first"),
        ]
    return []


@dataclass(frozen=True)
class _Moving:
    """A field of whole numbers: its name and label, and whether its value at creation is known.

    `rests_on` is as of `Feature`.
    """

    name: str
    label: str
    is_created: bool
    rests_on: tuple[str, ...]

    def count(self, measure: str, sign: int, verb: str) -> Feature:
        """How often the field rose (sign 1), or fell (-1)."""
        column = f"moves_{self.name}_{measure}"
        steps = f"COUNT(CASE WHEN {self._is_field()} AND step = {sign} THEN 1 END)"
        columns = self._with_creation({column: steps, self._first: self._value("is_first = 1")})
        finish = Steps(column, self._first, self._created, sign)
        phrase = both(
            f"times {self.label} was {verb}",
            f"{self.label} {verb} {{value}} times",
            one=f"{self.label} {verb} once",
            counted=True,
        )
        return self.feature(measure, columns, finish, unit="count", phrase=phrase)

    def drift(self, measure: str, *, unit: str, sentence: str) -> Feature:
        """How far the latest value lies from the first."""
        last = f"moves_{self.name}_last"
        values = {self._first: self._value("is_first = 1"), last: self._value("recency = 1")}
        finish = Drift(self._first, last, self._created, is_date=unit == "moved")
        columns = self._with_creation(values)
        phrase = both(f"change of {self.label}", sentence, counted=True)
        return self.feature(measure, columns, finish, unit=unit, phrase=phrase)

    def feature(
        self,
        measure: str,
        columns: Relations,
        finish: Finish,
        *,
        unit: str,
        phrase: Phrase,
    ) -> Feature:
        """A feature of the field, in the group of its value."""
        return Feature(
            name=f"moves_{self.name}_{measure}",
            columns=columns,
            finish=finish,
            unit=unit,
            phrase=phrase,
            group=f"profile_{self.name}",
            rests_on=self.rests_on,
        )

    @property
    def _first(self) -> str:
        return f"moves_{self.name}_first"

    @property
    def _created(self) -> str | None:
        return f"field_{self.name}" if self.is_created else None

    def _is_field(self) -> str:
        return f"field = {literal(self.name)}"

    def _value(self, condition: str) -> str:
        return f"MAX(CASE WHEN {self._is_field()} AND {condition} THEN value END)"

    def _with_creation(self, expressions: dict[str, str]) -> Relations:
        """The expressions over moves, and the value at creation where it is known."""
        columns: Relations = {"moves": expressions}
        if self.is_created:
            columns["leads"] = {f"field_{self.name}": f"MAX(at_creation_{self.name})"}
        return columns
